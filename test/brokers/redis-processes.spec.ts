import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { openRedis } from '../../src/brokers/redis/open.ts';
import { receiveAndDeleteAll, send } from '../../src/contract/operations.ts';
import { expectShares, expectWakeUps, Processes } from '../support/broker-processes.ts';
import { redis } from '../support/servers/redis.ts';

describe('a queue in Redis that several processes use', function () {
  this.timeout(30_000);

  let broker: Broker;
  let queue: Queue;
  let processes: Processes;

  before(function () {
    if (!redis.addressInEnvironment()) this.skip();
  });

  beforeEach(async () => {
    broker = await openRedis(redis.addressInEnvironment()!);
    queue = await broker.open(`spec-${randomBytes(6).toString('hex')}`);
    processes = new Processes(redis.addressInEnvironment()!, queue.name);
  });

  afterEach(async () => {
    const errorOutput = await processes.end();
    await broker.remove(queue.name);
    await broker.close();
    expect(errorOutput).to.equal('');
  });

  it('wakes a long poll as soon as another process has sent a message', () =>
    expectWakeUps(queue, processes, { pollingMs: 30, mostMs: 20 }));

  it('delivers each message to one of two consumers, and shares the messages between them', () =>
    expectShares(queue, processes, 2_000));

  it('keeps the order within message groups across consumers', async () => {
    const fifo = await broker.open(`${queue.name}.fifo`);
    const groups = ['a', 'b', 'c', 'd', 'e'];
    for (let number = 0; number < 40; number += 2) {
      const messages = groups.flatMap((groupId) =>
        [`${groupId}${number}`, `${groupId}${number + 1}`].map((body) => ({
          groupId,
          body,
          deduplicationId: body,
        })),
      );
      await send(fifo, ...messages);
    }
    const others = await Promise.all(
      Array.from({ length: 3 }, () => openRedis(redis.addressInEnvironment()!)),
    );
    const queues = [fifo, ...(await Promise.all(others.map((other) => other.open(fifo.name))))];
    const handled: string[] = [];
    const handle = async (own: Queue) => {
      while (handled.length < 200) {
        const messages = await own.receive({ max: 3, waitSeconds: 1 });
        await new Promise((resolve) => setTimeout(resolve, 1));
        handled.push(...messages.map(({ body }) => body));
        if (messages.length > 0) await own.delete(messages.map(({ receiptHandle }) => receiptHandle));
      }
    };
    await Promise.all([...queues, ...queues].map(handle));
    for (const group of groups) {
      const numbers = handled.filter((body) => body.startsWith(group)).map((body) => Number(body.slice(1)));
      expect(numbers).to.deep.equal(Array.from({ length: 40 }, (_, index) => index));
    }
    expect(await receiveAndDeleteAll(fifo)).to.deep.equal([]);
    await broker.remove(fifo.name);
    await Promise.all(others.map((other) => other.close()));
  });
});
