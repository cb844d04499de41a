/** Opens the broker of a run, by name. */
import type { BrokerName } from '../../harness/brokers.ts';
import type { FaultyBroker } from './faulty-broker.ts';
import { openPostgres, openRedis } from './servers.ts';
import { openSqlite } from './sqlite.ts';
import { openSqs } from './sqs.ts';

/** The broker keeps its files in `folder`; `seed` determines its random decisions. */
export function openFaultyBroker(broker: BrokerName, folder: string, seed: number): Promise<FaultyBroker> {
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
