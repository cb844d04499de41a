/** Reads the address of a Redis server. Nothing that this says has the password in it. */
import { withoutPassword } from '../address.ts';
import { BrokerConfigError } from '../errors.ts';

const DEFAULT_PORT = 6379;

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  /** The number of the database. */
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly isEncrypted: boolean;
  /** For people: `redis://queues.example.com:6379/0`. */
  readonly description: string;
}

/** Throws a BrokerError of kind `setup` for what is no such address. */
export function parseAddress(address: string): RedisAddress {
  const url = URL.parse(address);
  const database = /^\/?(\d{0,5})$/.exec(url?.pathname ?? '');
  const username = decoded(url?.username ?? '');
  const password = decoded(url?.password ?? '');
  const isRead = username !== undefined && password !== undefined;
  if (!url?.hostname || !database || !isRead || url.search || url.hash) {
    throw new BrokerConfigError(
      `The address of Redis ${withoutPassword(address)} cannot be used. It is to be like redis://USER:PASSWORD@HOST:6379/0 (rediss:// with TLS), with special characters of the password written as %40 and so on.`,
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

/** A part of a URL as it was meant, or undefined if it is not written as in URLs. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
