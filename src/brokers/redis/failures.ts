/** Converts errors from Redis, ioredis and the network to BrokerErrors. */
import { BrokerError, type BrokerErrorKind } from '../errors.ts';

/** Whether the server has become a replica: another server is the primary now, and a new connection may reach it. */
export function isReadOnly(error: Error): boolean {
  return /\bREADONLY\b/.test(error.message);
}

/** Whether the server does not have the script: it has never run it, or has restarted since. */
export function isUnknownScript(error: Error): boolean {
  return error.message.startsWith('NOSCRIPT');
}

/**
 * Converts an error from the server that `place` describes to a BrokerError that says what to do. If ioredis gave up
 * connecting, the cause is `lastError`, the error of its last attempt to connect.
 */
export function redisFailure(place: string, error: unknown, lastError?: Error): BrokerError {
  if (error instanceof BrokerError) return error;
  const cause: unknown = lastError && LOST.test(textOf(error)) ? lastError : error;
  const text = LOST.test(textOf(cause)) ? 'the connection was lost' : textOf(cause);
  // The command's arguments may include the password or messages, and errors are logged with their causes.
  if (cause instanceof Error && 'command' in cause) delete cause.command;
  const [kind, advice] = FAILURES.find(([pattern]) => pattern.test(text))?.[1] ?? OTHER;
  return new BrokerError(kind, `${place} ${advice} (${text}).`, { cause });
}

/** The ioredis errors for requests that were pending when the connection was lost, or that waited for it in vain. */
const LOST = /max retries per request|Connection is closed/;

type Failure = readonly [kind: BrokerErrorKind, advice: string];

const CLUSTER_ADVICE =
  'is in cluster mode. A Redis Cluster cannot store queues: messages move to dead-letter queues atomically, so all queues must be on one server. Use a server without cluster mode; it may have replicas';

/** The error for a server that reports cluster mode. */
export function clusterFailure(place: string): BrokerError {
  return new BrokerError('setup', `${place} ${CLUSTER_ADVICE} (cluster_enabled:1).`);
}

const OTHER: Failure = ['unreachable', 'failed'];

/** By the code in the server's answer (not always at its start if a script failed), or by network error. */
const FAILURES: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  [
    /\b(NOAUTH|WRONGPASS)\b|invalid password|AUTH failed/,
    ['credentials', 'did not accept the user or the password. Correct them in the address'],
  ],
  [
    /\bNOPERM\b|user executing the script can't|ACL failure/,
    [
      'denied',
      'denied permission to this user. Grant it the keys and channels of the queues: ACL SETUSER NAME ~sqs-containers:* &sqs-containers:* +@all -@dangerous',
    ],
  ],
  [
    /DB index|SELECT is not allowed/,
    ['setup', 'has no database with this number. Correct the end of the address; the first database is /0'],
  ],
  [/\b(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)\b|non local key/, ['setup', CLUSTER_ADVICE]],
  [/unknown command|Unknown Redis command/i, ['setup', 'is too old. Use Redis 6.2 or later, or Valkey']],
  [/\bWRONGTYPE\b/, ['setup', 'has other data under the keys of the queues. Use another database: /1']],
  [/\bLOADING\b/, ['unreachable', 'is starting, and is still loading its data. Wait until it is ready']],
  [
    /\bREADONLY\b/,
    ['unreachable', 'is now a replica, as after a failover. Wait until its address points to the primary'],
  ],
  [
    /\bOOM\b/,
    [
      'unreachable',
      'has no memory left for more messages. Raise its maxmemory, or wait until consumers have handled some messages',
    ],
  ],
  [
    /\bNOREPLICAS\b/,
    [
      'unreachable',
      'has too few replicas to accept writes. Check the replicas, or lower its min-replicas-to-write',
    ],
  ],
  [/\bMISCONF\b/, ['unreachable', 'cannot save to its disk, and does not accept writes. Check its log']],
  [
    /\bBUSY\b/,
    ['unreachable', 'is busy running a script from another client. Wait, or stop the script: SCRIPT KILL'],
  ],
  [
    /max number of clients/,
    ['unreachable', 'has no connections left. Raise its maxclients, or use fewer processes'],
  ],
  [
    /certificate|self-signed|altnames|\bSSL\b|wrong version number/i,
    [
      'setup',
      'cannot be trusted: TLS handshake failed. Provide its CA certificate in the environment variable NODE_EXTRA_CA_CERTS, or correct the address',
    ],
  ],
  [
    /ENOTFOUND|EAI_AGAIN/,
    ['unreachable', 'cannot be reached: DNS lookup failed. Check the host name in the address'],
  ],
  [
    /timed out|timeout/i,
    ['unreachable', 'did not answer in time. Check that the server is healthy, and the address'],
  ],
  [
    /ECONN|EHOST|ENET|EPIPE|connection was lost/,
    ['unreachable', 'cannot be reached. Check that the server is running, and the address'],
  ],
];

/** The text of an error. After failing on several addresses of a host, it has only a code. */
function textOf(error: unknown): string {
  const { message, code } = Object(error) as { message?: string; code?: string };
  return message || code || String(error);
}
