import { itKeepsTheContract } from '../../src/broker-contract/contract.ts';
import type { Broker } from '../../src/brokers/broker.ts';
import { openPostgres } from '../../src/brokers/database/postgres/open.ts';
import { postgres } from '../servers/postgres.ts';

describe('the postgres broker', () => {
  let opened: Broker[];

  before(function () {
    if (!postgres.addressInEnvironment()) this.skip();
  });

  async function open(): Promise<Broker> {
    const broker = await openPostgres(postgres.addressInEnvironment()!);
    opened.push(broker);
    return broker;
  }

  itKeepsTheContract(
    'the postgres broker',
    async () => {
      opened = [];
      return { broker: await open(), secondBroker: open };
    },
    async () => {
      await Promise.all(opened.map((broker) => broker.close()));
    },
  );
});
