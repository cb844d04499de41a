/** Makes BrokerErrors of what Redis, ioredis and the network say. */
import { BrokerError, type BrokerErrorKind } from '../errors.ts';

/** Whether the server is a replica now: another one has become the primary, and a new connection may lead to that. */
export function isReadOnly(error: Error): boolean {
  return /\bREADONLY\b/.test(error.message);
}

/** Whether the server does not have the text of a script: it has never seen it, or has forgotten it as it ended. */
export function isUnknownScript(error: Error): boolean {
  return error.message.startsWith('NOSCRIPT');
}

/**
 * A BrokerError with what to do, for an error in using the server that `place` describes. Where ioredis itself gave up, the
 * reason is `lastError`, which it met when it tried to connect.
 */
export function redisFailure(place: string, error: unknown, lastError?: Error): BrokerError {
  if (error instanceof BrokerError) return error;
  const cause: unknown = lastError && LOST.test(textOf(error)) ? lastError : error;
  const text = LOST.test(textOf(cause)) ? 'the connection was lost' : textOf(cause);
  // Its arguments are the password, or messages, and errors are logged with their causes.
  if (cause instanceof Error && 'command' in cause) delete cause.command;
  const [kind, advice] = FAILURES.find(([pattern]) => pattern.test(text))?.[1] ?? OTHER;
  return new BrokerError(kind, `${place} ${advice} (${text}).`, { cause });
}

/** What ioredis says of requests that were under way when the connection was lost, or that waited for it in vain. */
const LOST = /max retries per request|Connection is closed/;

type Failure = readonly [kind: BrokerErrorKind, advice: string];

const CLUSTER_ADVICE =
  'is in cluster mode. A Redis Cluster cannot have queues: a message goes to its dead-letter queue in one step, which needs both on one server. Use a server without cluster mode; it may have replicas';

/** For a server that says itself that it is in cluster mode. */
export function clusterFailure(place: string): BrokerError {
  return new BrokerError('setup', `${place} ${CLUSTER_ADVICE} (cluster_enabled:1).`);
}

const OTHER: Failure = ['unreachable', 'does not work'];

/** By the code in the answer of the server (in that of a script it is not at the beginning), or of the network. */
const FAILURES: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  [
    /\b(NOAUTH|WRONGPASS)\b|invalid password|AUTH failed/,
    ['credentials', 'does not accept the user or the password. Correct them in the address'],
  ],
  [
    /\bNOPERM\b|user executing the script can't|ACL failure/,
    [
      'denied',
      'does not permit that to this user. Grant it the keys and channels of the queues: ACL SETUSER NAME ~sqs-containers:* &sqs-containers:* +@all -@dangerous',
    ],
  ],
  [
    /DB index|SELECT is not allowed/,
    ['setup', 'has no database of this number. Correct the end of the address; the first one is /0'],
  ],
  [/\b(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b|non local key/, ['setup', CLUSTER_ADVICE]],
  [/unknown command|Unknown Redis command/i, ['setup', 'is too old. Redis 6.2 or Valkey is needed']],
  [/\bWRONGTYPE\b/, ['setup', 'has something else under the names of the queues. Use another database: /1']],
  [/\bLOADING\b/, ['unreachable', 'is starting, and loads its data. Wait until it has']],
  [
    /\bREADONLY\b/,
    ['unreachable', 'is a replica now, as after a failover. Wait until its address leads to the primary'],
  ],
  [
    /\bOOM\b/,
    [
      'unreachable',
      'has no memory left for more messages. Raise its maxmemory, or let consumers work them off',
    ],
  ],
  [
    /\bNOREPLICAS\b/,
    [
      'unreachable',
      'has too few replicas to take changes. Look at these, or lower its min-replicas-to-write',
    ],
  ],
  [/\bMISCONF\b/, ['unreachable', 'cannot save to its disk, and takes no changes. Look into its log']],
  [/\bBUSY\b/, ['unreachable', 'is busy with the script of somebody else. Wait, or end that: SCRIPT KILL']],
  [
    /max number of clients/,
    ['unreachable', 'has no connection left. Raise its maxclients, or use fewer processes'],
  ],
  [
    /certificate|self-signed|altnames|\bSSL\b|wrong version number/i,
    [
      'setup',
      'cannot be trusted: TLS does not come about. Give the certificate of its authority in the environment variable NODE_EXTRA_CA_CERTS, or correct the address',
    ],
  ],
  [/ENOTFOUND|EAI_AGAIN/, ['unreachable', 'has a host name that cannot be found']],
  [
    /timed out|timeout/i,
    ['unreachable', 'does not answer in time. Check that the server is well, and the address'],
  ],
  [
    /ECONN|EHOST|ENET|EPIPE|connection was lost/,
    ['unreachable', 'cannot be reached. Check that the server runs, and the address'],
  ],
];

/** The text of an error. Where several addresses of a host were tried, there is only a code. */
function textOf(error: unknown): string {
  const { message, code } = Object(error) as { message?: string; code?: string };
  return message || code || String(error);
}
