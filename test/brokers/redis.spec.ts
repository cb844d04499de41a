import { itKeepsTheContract } from '../../src/broker-contract/contract.ts';
import type { Broker } from '../../src/brokers/broker.ts';
import { openRedis } from '../../src/brokers/redis/open.ts';
import { redis } from '../servers/redis.ts';

describe('the redis broker', () => {
  let opened: Broker[];

  before(function () {
    if (!redis.addressInEnvironment()) this.skip();
  });

  async function open(): Promise<Broker> {
    const broker = await openRedis(redis.addressInEnvironment()!);
    opened.push(broker);
    return broker;
  }

  itKeepsTheContract(
    'the redis broker',
    async () => {
      opened = [];
      return { broker: await open(), secondBroker: open };
    },
    async () => {
      await Promise.all(opened.map((broker) => broker.close()));
    },
  );
});
