/** Opens a broker by its address. Only the module of that broker is loaded: the others cost nothing. */
import { resolve } from 'node:path';
import { ADDRESSES, brokerKind, queueFile, withoutPassword } from './address.ts';
import type { Broker } from './broker.ts';
import { BrokerConfigError } from './errors.ts';

export interface OpenOptions {
  /** What the path of a `sqlite:` address and the module of a custom broker are relative to. Default: the working directory. */
  readonly directory?: string;
  /** For `sqs` addresses: see `SqsOptions`. The endpoint of an `sqs+http…` address goes before this one. */
  readonly sqs?: { readonly region?: string | undefined; readonly endpoint?: string | undefined };
}

/**
 * Opens the broker of an address:
 * - `sqs`: Amazon SQS, with region, endpoint and credentials of the AWS default chain or of the options
 * - `sqs+http://HOST:PORT`, `sqs+https://…`: an emulator of SQS
 * - `sqlite:PATH`: an embedded, durable queue file on this machine
 * - `postgres://HOST/DATABASE`, `postgresql://…`: queues in a Postgres database
 * - `redis://HOST`, `rediss://…`: queues in a Redis server
 * - `memory:`: queues that end with the process
 * - `./my-broker.ts:MyBroker`, `my-package:expr`: one of your own (see `BrokerFactory`)
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
        `There is no broker "${withoutPassword(address)}". Possible: ${ADDRESSES}.`,
      );
  }
}
