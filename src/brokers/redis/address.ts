/** Parses the address of a Redis server. Descriptions and errors never contain the password. */
import { withoutPassword } from '../address.ts';
import { BrokerConfigError } from '../errors.ts';

const DEFAULT_PORT = 6379;

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** The database number. */
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly isEncrypted: boolean;
  /** For log and error messages: `redis://queues.example.com:6379/0`. */
  readonly description: string;
}

/** Throws a BrokerError of kind `setup` for an invalid address. */
export function parseAddress(address: string): RedisAddress {
  const url = URL.parse(address);
  const database = /^\/?(\d{0,5})$/.exec(url?.pathname ?? '');
  const username = decoded(url?.username ?? '');
  const password = decoded(url?.password ?? '');
  const isRead = username !== undefined && password !== undefined;
  if (!url?.hostname || !database || !isRead || url.search || url.hash) {
    throw new BrokerConfigError(
      `Invalid Redis address ${withoutPassword(address)}. Expected redis://USER:PASSWORD@HOST:6379/0 (rediss:// with TLS), with special characters in the password encoded (@ as %40).`,
    );
  }
  const { protocol, hostname } = url;
  const port = Number(url.port || DEFAULT_PORT);
  const db = Number(database[1]);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    db,
    ...(username && { username }),
    ...(password && { password }),
    isEncrypted: protocol === 'rediss:',
    description: `${protocol}//${hostname}:${port}/${db}`,
  };
}

/** Decodes a part of a URL; undefined if it is not validly encoded. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
