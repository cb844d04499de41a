/** Reads the address of a Postgres database. Nothing that this says has the password in it. */
import { BrokerConfigError } from '../../errors.ts';

const DEFAULT_SCHEMA = 'sqs_containers';

export interface PostgresAddress {
  /** As node-postgres takes it. */
  readonly connectionString: string;
  /** Where the tables are. */
  readonly schema: string;
  /** For people: `postgres://db.example.com:5432/shop`, with the schema if it is not the usual one. */
  readonly description: string;
}

/** Throws a BrokerError of kind `setup` if node-postgres cannot read the address. */
export function parseAddress(
  address: string,
  pg: Pick<typeof import('pg').default, 'Client'>,
): PostgresAddress {
  const schema = /[?&]schema=([^&]*)/.exec(address)?.[1] ?? DEFAULT_SCHEMA;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new BrokerConfigError(
      `The schema "${schema}" in the address of Postgres is none: it has up to 63 small letters, digits and "_".`,
    );
  }
  const connectionString = strict(address.replace(/([?&])schema=[^&]*&?/, '$1').replace(/[?&]$/, ''));
  const { host, port, database = '' } = clientOf(connectionString, pg);
  const suffix = schema === DEFAULT_SCHEMA ? '' : `?schema=${schema}`;
  return { connectionString, schema, description: `postgres://${host}:${port}/${database}${suffix}` };
}

/** As node-postgres 8 reads it anyway: without its warning, at each start, that version 9 will not. */
function strict(address: string): string {
  if (address.includes('uselibpqcompat=true')) return address;
  return address.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
}

/** A client that is not connected: it knows what the address leaves to the environment. */
function clientOf(connectionString: string, pg: Pick<typeof import('pg').default, 'Client'>) {
  try {
    return new pg.Client({ connectionString });
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? `there is no file ${path}` : message;
    // Without the cause: it may show the address.
    throw new BrokerConfigError(
      `The address of Postgres cannot be used: ${reason}. It is to be like postgres://USER:PASSWORD@HOST:5432/DATABASE, with special characters of the password written as %40 and so on.`,
    );
  }
}
