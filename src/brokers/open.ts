/** Opens a broker by its address. Only the module of that broker is loaded: the others cost nothing. */
import { resolve } from 'node:path';
import type { Broker } from './broker.ts';
import { BrokerError } from './errors.ts';

export interface OpenOptions {
  /** What the path of a `sqlite:` address is relative to. Default: the working directory. */
  readonly directory?: string;
  /** For `sqs` addresses: see `SqsOptions`. The endpoint of an `sqs+http…` address goes before this one. */
  readonly sqs?: { readonly region?: string | undefined; readonly endpoint?: string | undefined };
}

/**
 * Opens the broker of an address:
 * - `sqs`: Amazon SQS, with region, endpoint and credentials of the AWS default chain or of the options
 * - `sqs+http://HOST:PORT`, `sqs+https://…`: an emulator of SQS
 * - `sqlite:PATH`: an embedded, durable queue file on this machine
 * - `memory:`: queues that end with the process
 *
 * Throws a BrokerError of kind `setup` for any other address.
 */
export async function openBroker(address: string, options: OpenOptions = {}): Promise<Broker> {
  if (address === 'sqs') {
    const { openSqs } = await import('./sqs/broker.ts');
    return openSqs(options.sqs);
  }
  if (/^sqs\+https?:\/\//.test(address)) {
    const { openSqs } = await import('./sqs/broker.ts');
    return openSqs({ ...options.sqs, endpoint: address.slice('sqs+'.length), emulator: true });
  }
  if (address === 'memory:') {
    const { MemoryBroker } = await import('./memory/broker.ts');
    return new MemoryBroker();
  }
  if (/^sqlite:./.test(address)) {
    const { openSqlite } = await import('./database/sqlite.ts');
    return openSqlite(resolve(options.directory ?? '', address.slice('sqlite:'.length)));
  }
  throw new BrokerError(
    'setup',
    `There is no broker "${address}". Possible: sqs, sqs+http://HOST:PORT, sqlite:PATH, memory:`,
  );
}
