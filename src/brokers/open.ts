/** Opens a broker by its address. Loads only the modules for that broker. */
import { resolve } from 'node:path';
import { ADDRESSES, brokerKind, queueFile, withoutPassword } from './address.ts';
import type { Broker } from './broker.ts';
import { BrokerConfigError } from './errors.ts';

export interface OpenOptions {
  /** The base folder for the path of a `sqlite:` address and the module of a custom broker. Default: the working directory. */
  readonly directory?: string;
  /** For `sqs` addresses: see `SqsOptions`. The endpoint of an `sqs+http…` address takes precedence over this one. */
  readonly sqs?: { readonly region?: string | undefined; readonly endpoint?: string | undefined };
}

/**
 * Opens the broker of an address:
 * - `sqs`: Amazon SQS, with the region, endpoint and credentials from the options or the AWS default chain
 * - `sqs+http://HOST:PORT`, `sqs+https://…`: an SQS emulator
 * - `sqlite:PATH`: an embedded, durable queue file on this machine
 * - `postgres://HOST/DATABASE`, `postgresql://…`: queues in a Postgres database
 * - `redis://HOST`, `rediss://…`: queues in a Redis server
 * - `memory:`: queues in memory, which are lost when the process exits
 * - `./my-broker.ts:MyBroker`, `my-package:expr`: a custom broker (see `BrokerFactory`)
 *
 * Throws a BrokerError of kind `setup` for any other address.
 */
export async function openBroker(address: string, options: OpenOptions = {}): Promise<Broker> {
  const directory = resolve(options.directory ?? '');
  switch (brokerKind(address)) {
    case 'sqs': {
      const { openSqs } = await import('./sqs/broker.ts');
      return openSqs(options.sqs);
    }
    case 'emulator': {
      const { openSqs } = await import('./sqs/broker.ts');
      return openSqs({ ...options.sqs, endpoint: address.slice('sqs+'.length), emulator: true });
    }
    case 'sqlite': {
      const { openSqlite } = await import('./sql/sqlite/open.ts');
      return openSqlite(queueFile(address, directory));
    }
    case 'postgres': {
      const { openPostgres } = await import('./sql/postgres/open.ts');
      return openPostgres(address);
    }
    case 'redis': {
      const { openRedis } = await import('./redis/open.ts');
      return openRedis(address);
    }
    case 'memory': {
      const { MemoryBroker } = await import('./memory/broker.ts');
      return new MemoryBroker();
    }
    case 'custom': {
      const { openCustom } = await import('./custom.ts');
      return openCustom(address, directory);
    }
    default:
      throw new BrokerConfigError(
        `Unknown broker "${withoutPassword(address)}". Valid broker addresses: ${ADDRESSES}.`,
      );
  }
}
