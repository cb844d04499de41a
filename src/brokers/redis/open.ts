/** Opens the queues in a Redis server: connects, and checks that this release supports their format. */
import type { Broker } from '../broker.ts';
import { BrokerError } from '../errors.ts';
import { notInstalled } from '../optional-package.ts';
import { parseAddress } from './address.ts';
import { RedisBroker } from './broker.ts';
import { RedisClient } from './client.ts';
import { clusterFailure } from './failures.ts';

/** The key of the format version, which increases when older releases cannot work with the new format. */
const VERSION_KEY = 'sqs-containers:version';
const VERSION = 1;

/**
 * Opens the queues in the server at `address` (`redis://USER:PASSWORD@HOST:PORT/DATABASE`, `rediss://…` with TLS): Redis 6.2
 * or later, or Valkey. Throws a BrokerError: of kind `setup` if the address is invalid, the package `ioredis` is not
 * installed, the server is in cluster mode, or a newer release created the queues; of another kind depending on the server's
 * answer.
 */
export async function openRedis(address: string): Promise<Broker> {
  const parsed = parseAddress(address);
  const { Redis } = await import('ioredis').catch(notInstalled('ioredis', 'Queues in Redis'));
  const client = new RedisClient(Redis, parsed);
  try {
    await checkNoCluster(client);
    // ioredis has already selected the database, but if that failed, it would continue with database 0.
    await client.request((redis) => redis.select(parsed.db));
    await checkVersion(client);
  } catch (error) {
    await client.close();
    throw error;
  }
  return new RedisBroker(client, new RedisClient(Redis, parsed));
}

/** Uses HELLO, because not every user may run INFO. A server without HELLO is too old, which later requests will report. */
async function checkNoCluster(client: RedisClient): Promise<void> {
  const facts = await client.request((redis) => redis.call('HELLO').catch(() => []));
  const all = Array.isArray(facts) ? facts : [];
  if (all[all.indexOf('mode') + 1] === 'cluster') throw clusterFailure(client.description);
}

/** Checks the version; if several processes find none, the first one writes it. */
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
    `The queues in ${client.description} were created by a newer release (they have version ${version}; this release supports ${VERSION}). Update sqs-containers.`,
  );
}
