/** Makes BrokerErrors of what node-postgres and the network throw. */
import { BrokerError, type BrokerErrorKind } from '../../errors.ts';

/**
 * Whether the server refused one statement: its connection works on. Not that of a server that is read-only: another one may
 * have become the primary, and a new connection may lead to that.
 */
export function isOfStatement(error: unknown): boolean {
  return (
    (Object(error) as { severity?: unknown }).severity === 'ERROR' && !READ_ONLY.test(codeOf(error) ?? '')
  );
}

/** Whether a pooler before the server, such as PgBouncer, does not pass on what a connection begins with. */
export function isUnknownParameter(error: unknown): boolean {
  return error instanceof BrokerError && /unsupported startup parameter/.test(error.message);
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

const READ_ONLY = /^25006$/;

const OTHER: Failure = ['unreachable', 'does not work'];

/** By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), the network's code, or the text. */
const FAILURES: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  [
    /^28|password must be/,
    ['credentials', 'does not accept the user or the password. Correct them in the address'],
  ],
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
  [READ_ONLY, ['unreachable', 'is read-only, as it is during a failover. Wait until that is over']],
  [/^53300$/, ['unreachable', 'has no connection left. Raise its max_connections, or use fewer processes']],
  [/^53/, ['unreachable', 'lacks room. Give its server more of what it names']],
  [
    /^(57014|55P03|25P03)$|^Query read timeout/,
    ['unreachable', 'took too long. Look what it is busy with: pg_stat_activity'],
  ],
  [/^(57P|08)/, ['unreachable', 'has ended the connection, or is just starting. Wait until it is up']],
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
