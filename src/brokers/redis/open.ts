/** Opens the queues in a Redis server: connects, and checks that this release knows how they are kept there. */
import type { Broker } from '../broker.ts';
import { BrokerError } from '../errors.ts';
import { notInstalled } from '../optional-package.ts';
import { parseAddress } from './address.ts';
import { RedisBroker } from './broker.ts';
import { RedisClient } from './client.ts';
import { clusterFailure } from './failures.ts';

/** Says in which way the queues are kept. The number grows when an older release could not go on with what a newer one did. */
const VERSION_KEY = 'sqs-containers:version';
const VERSION = 1;

/**
 * Opens the queues in the server at `address` (`redis://USER:PASSWORD@HOST:PORT/DATABASE`, `rediss://…` with TLS), Redis from
 * 6.2 or Valkey. Throws a BrokerError: of kind `setup` for a wrong address, if the package `ioredis` is not installed, for a
 * server in cluster mode, or if a newer release has made the queues; of others as the server answers.
 */
export async function openRedis(address: string): Promise<Broker> {
  const parsed = parseAddress(address);
  const { Redis } = await import('ioredis').catch(notInstalled('ioredis', 'Queues in Redis'));
  const client = new RedisClient(Redis, parsed);
  try {
    await checkNoCluster(client);
    // The database was selected already, but where that failed ioredis would go on in the first one.
    await client.request((redis) => redis.select(parsed.db));
    await checkVersion(client);
  } catch (error) {
    await client.close();
    throw error;
  }
  return new RedisBroker(client, new RedisClient(Redis, parsed));
}

/** HELLO says it to every user, INFO only to some. A server that does not know HELLO is too old, which other requests say. */
async function checkNoCluster(client: RedisClient): Promise<void> {
  const facts = await client.request((redis) => redis.call('HELLO').catch(() => []));
  const all = Array.isArray(facts) ? facts : [];
  if (all[all.indexOf('mode') + 1] === 'cluster') throw clusterFailure(client.description);
}

/** Of several processes that find no version, the first one writes it. */
async function checkVersion(client: RedisClient): Promise<void> {
  const read = () => client.request((redis) => redis.get(VERSION_KEY));
  let version = await read();
  if (version === null) {
    await client.request((redis) => redis.setnx(VERSION_KEY, VERSION));
    version = await read();
  }
  if (Number(version) <= VERSION) return;
  throw new BrokerError(
    'setup',
    `The queues in ${client.description} were made by a newer release (they have version ${version}, this release knows ${VERSION}). Update sqs-containers.`,
  );
}
