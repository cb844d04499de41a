/** Makes BrokerErrors of what node-postgres and the network throw. */
import { BrokerError, type BrokerErrorKind } from '../../errors.ts';

/** Whether the server refused one statement: its connection works on. */
export function isOfStatement(error: unknown): boolean {
  return (Object(error) as { severity?: unknown }).severity === 'ERROR';
}

/** Whether the server ended a transaction for the sake of another: a deadlock, or what cannot be put in order. */
export function isConflict(error: unknown): boolean {
  const code = error instanceof BrokerError ? codeOf(error.cause) : undefined;
  return code === '40P01' || code === '40001';
}

/** A BrokerError with what to do, for an error in using the database that `place` describes. */
export function postgresFailure(place: string, error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  const code = codeOf(error) ?? '';
  const text = error instanceof Error ? error.message || code : String(error);
  const [kind, advice] = FAILURES.find(([pattern]) => pattern.test(code) || pattern.test(text))?.[1] ?? OTHER;
  return new BrokerError(kind, `${place} ${advice} (${text}).`, { cause: error });
}

type Failure = readonly [kind: BrokerErrorKind, advice: string];

const OTHER: Failure = ['unreachable', 'does not work'];

/** By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), the network's code, or the text. */
const FAILURES: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  [/^28/, ['credentials', 'does not accept the user or the password. Correct them in the address']],
  [/^3D000$/, ['setup', 'does not exist. Make the database (createdb), or correct the address']],
  [
    /^42501$/,
    [
      'denied',
      'does not permit that to this user. Grant CREATE on the database once, or the rights on the schema',
    ],
  ],
  [
    /^(42P07|42703)$/,
    ['setup', 'has tables in this schema that are not those of queues. Choose another one: ?schema=NAME'],
  ],
  [/^(42P01|3F000)$/, ['setup', 'has lost the tables of the queues. Start anew to make them']],
  [/^25006$/, ['unreachable', 'is read-only, as it is during a failover. It is tried again']],
  [/^53300$/, ['unreachable', 'has no connection left. Raise its max_connections, or use fewer processes']],
  [/^53/, ['unreachable', 'lacks room. Give its server more of what it names']],
  [/^(57014|55P03|25P03)$/, ['unreachable', 'took too long. Look what it is busy with: pg_stat_activity']],
  [/^(57P|08)/, ['unreachable', 'has ended the connection, or is just starting. It is tried again']],
  [/^22/, ['rejected', 'refused what it was given']],
  [
    /^(DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_|ERR_TLS)|does not support SSL/,
    [
      'setup',
      'cannot be trusted: TLS does not come about. Give the certificate of its authority (sslrootcert=FILE), or correct sslmode',
    ],
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, ['unreachable', 'has a host name that cannot be found']],
  [
    /^(ECONN|ETIMEDOUT|EHOST|ENET|EPIPE)|Connection terminated|timeout/,
    ['unreachable', 'cannot be reached. Check that the server runs, and the address'],
  ],
];

function codeOf(error: unknown): string | undefined {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
