import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Broker } from '../../src/brokers/broker.ts';
import { openSqlite } from '../../src/brokers/sql/sqlite/open.ts';
import { itKeepsTheContract } from '../../src/contract/contract.ts';

describe('the sqlite broker', () => {
  let folder: string;
  let opened: Broker[];

  async function open(): Promise<Broker> {
    const broker = await openSqlite(join(folder, 'queues.db'));
    opened.push(broker);
    return broker;
  }

  itKeepsTheContract(
    'the sqlite broker',
    async () => {
      folder = await mkdtemp(join(tmpdir(), 'sqlite-broker-'));
      opened = [];
      return { broker: await open(), secondBroker: open };
    },
    async () => {
      await Promise.all(opened.map((broker) => broker.close()));
      await rm(folder, { recursive: true });
    },
  );
});
