/** Converts errors from node-postgres and the network to BrokerErrors. */
import { BrokerError, type BrokerErrorKind } from '../../errors.ts';

/**
 * Whether only one statement failed, so that its connection can be reused. False for a read-only server: another server may
 * have become the primary, and a new connection may reach it.
 */
export function isOfStatement(error: unknown): boolean {
  return (
    (Object(error) as { severity?: unknown }).severity === 'ERROR' && !READ_ONLY.test(codeOf(error) ?? '')
  );
}

/** Whether a pooler in front of the server, such as PgBouncer, refuses startup parameters. */
export function isUnknownParameter(error: unknown): boolean {
  return error instanceof BrokerError && /unsupported startup parameter/.test(error.message);
}

/** Whether the server aborted a transaction because of another: a deadlock or a serialization failure. */
export function isConflict(error: unknown): boolean {
  const code = error instanceof BrokerError ? codeOf(error.cause) : undefined;
  return code === '40P01' || code === '40001';
}

/** Converts an error from the database that `place` describes to a BrokerError that says what to do. */
export function postgresFailure(place: string, error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  const code = codeOf(error) ?? '';
  const text = error instanceof Error ? error.message || code : String(error);
  const [kind, advice] = FAILURES.find(([pattern]) => pattern.test(code) || pattern.test(text))?.[1] ?? OTHER;
  return new BrokerError(kind, `${place} ${advice} (${text}).`, { cause: error });
}

type Failure = readonly [kind: BrokerErrorKind, advice: string];

const READ_ONLY = /^25006$/;

const OTHER: Failure = ['unreachable', 'failed'];

/** By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), network error code, or text. */
const FAILURES: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  [
    /^28|password must be/,
    ['credentials', 'did not accept the user or the password. Correct them in the address'],
  ],
  [/^3D000$/, ['setup', 'does not exist. Create the database (createdb), or correct the address']],
  [
    /^42501$/,
    [
      'denied',
      'denied permission to this user. Grant CREATE on the database once, or privileges on the schema',
    ],
  ],
  [/^(42P07|42703)$/, ['setup', 'has other tables in this schema. Choose another schema: ?schema=NAME']],
  [/^(42P01|3F000)$/, ['setup', 'has lost the queue tables. Restart to create them again']],
  [
    READ_ONLY,
    ['unreachable', 'is read-only, which is normal during a failover. Wait until the failover is complete'],
  ],
  [/^53300$/, ['unreachable', 'has no connections left. Raise its max_connections, or use fewer processes']],
  [/^53/, ['unreachable', 'has insufficient resources. Give its server more of the resource named here']],
  [
    /^(57014|55P03|25P03)$|^Query read timeout/,
    ['unreachable', 'took too long. Check what it is busy with: pg_stat_activity'],
  ],
  [/^(57P|08)/, ['unreachable', 'closed the connection, or is still starting. Wait until it is up']],
  [/^22/, ['rejected', 'refused the data']],
  [
    /^(DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_|ERR_TLS)|does not support SSL/,
    [
      'setup',
      'cannot be trusted: TLS handshake failed. Provide its CA certificate (sslrootcert=FILE), or correct sslmode',
    ],
  ],
  [
    /^(ENOTFOUND|EAI_AGAIN)$/,
    ['unreachable', 'cannot be reached: DNS lookup failed. Check the host name in the address'],
  ],
  [
    /^(ECONN|ETIMEDOUT|EHOST|ENET|EPIPE)|Connection terminated|timeout/,
    ['unreachable', 'cannot be reached. Check that the server is running, and the address'],
  ],
];

function codeOf(error: unknown): string | undefined {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
