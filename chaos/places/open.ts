/** Opens the place that a run is to be in, by the name of its broker. */
import { postgres } from '../../test/support/servers/postgres.ts';
import { redis } from '../../test/support/servers/redis.ts';
import type { Place } from './place.ts';
import { openPostgres, openRedis } from './servers.ts';
import { openSqlite } from './sqlite.ts';
import { openSqs } from './sqs.ts';

export const BROKERS = ['sqlite', 'sqs', 'postgres', 'redis'] as const;
export type BrokerName = (typeof BROKERS)[number];

/** Why there can be no run with this broker here; undefined if there can. */
export function whyNot(broker: BrokerName): string | undefined {
  const server = { postgres, redis, sqlite: undefined, sqs: undefined }[broker];
  if (!server || server.isInstalled()) return undefined;
  return `${server.name} is not installed here (Debian: apt-get install ${server.packages.join(' ')})`;
}

/** `folder` is for its files; `seed` is what its chance follows from. */
export function openPlace(broker: BrokerName, folder: string, seed: number): Promise<Place> {
  switch (broker) {
    case 'sqlite':
      return openSqlite(folder);
    case 'sqs':
      return openSqs(seed);
    case 'postgres':
      return openPostgres();
    case 'redis':
      return openRedis();
  }
}
