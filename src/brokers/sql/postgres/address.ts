/** Parses the address of a Postgres database. Descriptions and errors never contain the password. */
import { BrokerConfigError } from '../../errors.ts';

const DEFAULT_SCHEMA = 'sqs_containers';

export interface PostgresAddress {
  /** The connection string for node-postgres. */
  readonly connectionString: string;
  /** The schema with the tables. */
  readonly schema: string;
  /** For log and error messages: `postgres://db.example.com:5432/shop`, with the schema if it is not the default. */
  readonly description: string;
}

/** Throws a BrokerError of kind `setup` if node-postgres cannot parse the address. */
export function parseAddress(
  address: string,
  pg: Pick<typeof import('pg').default, 'Client'>,
): PostgresAddress {
  const schema = /[?&]schema=([^&]*)/.exec(address)?.[1] ?? DEFAULT_SCHEMA;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new BrokerConfigError(
      `The schema "${schema}" in the Postgres address is invalid: use up to 63 lowercase letters, digits and "_".`,
    );
  }
  const connectionString = strict(address.replace(/([?&])schema=[^&]*&?/, '$1').replace(/[?&]$/, ''));
  const { host, port, database = '' } = clientOf(connectionString, pg);
  const suffix = schema === DEFAULT_SCHEMA ? '' : `?schema=${schema}`;
  return { connectionString, schema, description: `postgres://${host}:${port}/${database}${suffix}` };
}

/** Keeps the meaning of sslmode in node-postgres 8, without its warning at each start that version 9 will change it. */
function strict(address: string): string {
  if (address.includes('uselibpqcompat=true')) return address;
  return address.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, '$1verify-full');
}

/** An unconnected client: it fills in the parts of the address that come from the environment. */
function clientOf(connectionString: string, pg: Pick<typeof import('pg').default, 'Client'>) {
  try {
    return new pg.Client({ connectionString });
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? `the file ${path} does not exist` : message;
    // No cause: it may contain the address.
    throw new BrokerConfigError(
      `Invalid Postgres address: ${reason}. Expected postgres://USER:PASSWORD@HOST:5432/DATABASE, with special characters in the password encoded (@ as %40).`,
    );
  }
}
