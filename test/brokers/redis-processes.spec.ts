import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { receiveAndDeleteAll, send } from '../../src/broker-contract/steps.ts';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { openRedis } from '../../src/brokers/redis/open.ts';
import { redis } from '../servers/redis.ts';

describe('a queue in Redis that several processes use', () => {
  let broker: Broker;
  let queue: Queue;
  let children: ChildProcess[];

  before(function () {
    if (!redis.addressInEnvironment()) this.skip();
  });

  beforeEach(async () => {
    children = [];
    broker = await openRedis(redis.addressInEnvironment()!);
    queue = await broker.open(`spec-${randomBytes(6).toString('hex')}`);
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await broker.remove(queue.name);
    await broker.close();
  });

  /** Starts a part of `broker-child.ts`, which then has the queue open. */
  async function start(part: string): Promise<ChildProcess> {
    const values = [redis.addressInEnvironment()!, queue.name, part];
    const child = fork(join(import.meta.dirname, 'broker-child.ts'), values, { execArgv: ['--import=tsx'] });
    children.push(child);
    expect(await next(child)).to.equal('ready');
    return child;
  }

  it('wakes a long poll as soon as another process has sent', async () => {
    const child = await start('echo');
    const delays: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const polling = queue.receive({ max: 1, waitSeconds: 5 }).then(() => performance.now());
      await new Promise((resolve) => setTimeout(resolve, 30));
      child.send('x');
      const sentAt = await next(child).then(() => performance.now());
      delays.push((await polling) - sentAt);
    }
    const median = delays.toSorted((one, other) => one - other)[4];
    expect(median, `milliseconds: ${delays.map(Math.round)}`).to.be.below(20);
  });

  it('hands each message to one of two consumers, and gives both their share', async () => {
    const all = Array.from({ length: 2_000 }, (_, index) => String(index));
    for (let start = 0; start < all.length; start += 10) await send(queue, ...all.slice(start, start + 10));
    const consumers = [await start('consume'), await start('consume')];
    const shares = consumers.map((consumer) => next(consumer) as Promise<string[]>);
    for (const consumer of consumers) consumer.send('go');
    const [one, other] = await Promise.all(shares);
    const numerically = (first: string, second: string) => Number(first) - Number(second);
    expect([...one!, ...other!].sort(numerically)).to.deep.equal(all);
    expect(Math.min(one!.length, other!.length)).to.be.above(200);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('keeps the order of message groups, whoever receives', async () => {
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

/** The next message of a child; rejects if it ends before. */
async function next(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const [message] = await Promise.race([
    once(child, 'message', { signal: ended.signal }),
    once(child, 'exit', { signal: ended.signal }).then(([code]) => expect.fail(`The child ended: ${code}`)),
  ]);
  ended.abort();
  return message;
}
