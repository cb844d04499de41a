import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { Broker, CreateOptions, Queue } from '../../src/brokers/broker.ts';
import { openRedis } from '../../src/brokers/redis/open.ts';
import {
  bodies,
  makeVisible,
  receiveAll,
  receiveNow,
  receiveOne,
  send,
  sendToGroup,
} from '../../src/contract/operations.ts';
import { redis } from '../support/servers/redis.ts';

describe('a queue in Redis', () => {
  let broker: Broker;
  let raw: Redis;
  const made: string[] = [];

  before(async function () {
    const address = redis.addressInEnvironment();
    if (!address) return this.skip();
    broker = await openRedis(address);
    raw = new Redis(address);
  });

  after(async () => {
    if (!broker) return;
    for (const name of made) await broker.remove(name);
    await broker.close();
    raw.disconnect();
  });

  async function make(options: CreateOptions = {}, suffix = ''): Promise<Queue> {
    const name = `spec-${randomBytes(6).toString('hex')}${suffix}`;
    made.push(name);
    await broker.create(name, options);
    return broker.open(name);
  }

  function keyOf(queue: Queue, key: string): string {
    return `sqs-containers:{${queue.name}}:${key}`;
  }

  /** Shifts the time sent of all messages in a queue into the past by `seconds`. */
  async function makeOlder(queue: Queue, seconds: number): Promise<void> {
    const messages = keyOf(queue, 'messages');
    for (const [number, record] of Object.entries(await raw.hgetall(messages))) {
      const sentAt = Number(record.slice(0, 13));
      await raw.hset(messages, number, `${sentAt - seconds * 1000}${record.slice(13)}`);
    }
  }

  it('does not deliver messages older than its retention period, and deletes them', async () => {
    for (const suffix of ['', '.fifo']) {
      const queue = await make({ retentionSeconds: 60 }, suffix);
      const message = (body: string) => ({ body, ...(suffix && { groupId: 'g', deduplicationId: body }) });
      await send(queue, message('old'), message('received'));
      await makeVisible(queue, ...(await receiveAll(queue)));
      await makeOlder(queue, 61);
      await send(queue, message('new'));
      expect(bodies(await receiveAll(queue))).to.deep.equal(['new']);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
      expect(await raw.hlen(keyOf(queue, 'receipts'))).to.equal(1);
    }
  });

  it('finds visible messages after many expired ones, and after many deleted ones', async () => {
    const queue = await make({ retentionSeconds: 60 });
    const fill = async () => {
      for (let batch = 0; batch < 25; batch += 1) await send(queue, ...'abcdefghij');
    };
    await fill();
    await makeOlder(queue, 61);
    await send(queue, 'behind the old');
    expect(bodies(await receiveNow(queue))).to.deep.equal(['behind the old']);
    await fill();
    const handles = (await receiveAll(queue, 1)).map(({ receiptHandle }) => receiptHandle);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    expect(await receiveNow(queue, 1)).to.have.length(1);
    for (let start = 0; start < handles.length; start += 10)
      await queue.delete(handles.slice(start, start + 10));
    await send(queue, 'behind the deleted');
    expect(bodies(await receiveNow(queue))).to.deep.equal(['behind the deleted']);
  });

  it('remembers deduplication ids for five minutes, and then deletes all their data', async () => {
    const queue = await make({}, '.fifo');
    const message = { body: 'x', groupId: 'g', deduplicationId: 'd' };
    const [first] = await send(queue, message);
    const remembered = keyOf(queue, 'remembered');
    const leftMs = Number(await raw.zscore(remembered, 'd')) - Date.now();
    expect(leftMs).to.be.within(298_000, 302_000);
    for (const key of [remembered, keyOf(queue, 'deduplication')]) {
      expect(await raw.pttl(key)).to.be.within(298_000, 300_000);
    }
    await raw.zadd(remembered, Date.now() - 5_000, 'd');
    const [second] = await send(queue, message);
    expect(second?.messageId).not.to.equal(first?.messageId);
    await raw.zadd(remembered, Date.now() - 5_000, 'd');
    await send(queue, { ...message, deduplicationId: 'another' });
    expect(await raw.hkeys(keyOf(queue, 'deduplication'))).to.deep.equal(['another']);
  });

  it('has only its settings in Redis when all messages are handled', async () => {
    for (const suffix of ['', '.fifo']) {
      const queue = await make({}, suffix);
      await send(queue, { body: 'x', ...(suffix && { groupId: 'g', deduplicationId: '1' }) });
      await queue.delete((await receiveAll(queue)).map(({ receiptHandle }) => receiptHandle));
      const remembered = suffix ? ['deduplication', 'remembered'] : [];
      const keys = ['queue', ...remembered].map((key) => keyOf(queue, key));
      expect((await raw.keys(keyOf(queue, '*'))).sort()).to.deep.equal(keys.sort());
      await broker.remove(queue.name);
      expect(await raw.keys(keyOf(queue, '*'))).to.deep.equal([]);
    }
  });

  it('knows when the oldest message was sent, even if it is delayed, in flight, in a group, or after deleted ones', async () => {
    const standard = await make();
    const ordered = await make({ visibilityTimeout: 60 }, '.fifo');
    await send(standard, { body: 'delayed', delaySeconds: 60 });
    await sendToGroup(ordered, 'g', 'in flight');
    await receiveOne(ordered);
    for (const queue of [standard, ordered]) {
      await makeOlder(queue, 50);
      const oldest = await queue.inspect!.oldest!();
      expect(Date.now() - oldest!).to.be.within(49_000, 60_000);
      await sendToGroup(queue, 'h', 'new');
      expect(await queue.inspect!.oldest!()).to.equal(oldest);
    }
    const rest = await make({ visibilityTimeout: 0 });
    await send(rest, 'gone', 'there');
    const [gone] = await receiveNow(rest, 1, 1);
    await makeOlder(rest, 50);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    // The receive moves it to the visible list, and it is deleted only afterwards.
    await receiveNow(rest, 1, 60);
    await rest.delete([gone!.receiptHandle]);
    expect(Date.now() - (await rest.inspect!.oldest!())!).to.be.within(49_000, 60_000);
    await rest.purge();
    expect(await rest.inspect!.oldest!()).to.equal(undefined);
  });

  it('delivers groups in turn: the one that has waited the longest comes first', async () => {
    const queue = await make({}, '.fifo');
    for (const group of ['z', 'a', 'm']) {
      await sendToGroup(queue, group, `${group}1`, `${group}2`);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    const order: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      const [message] = await receiveNow(queue, 1);
      order.push(message!.body);
      await queue.delete([message!.receiptHandle]);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    expect(order).to.deep.equal(['z1', 'a1', 'm1', 'z2', 'a2', 'm2']);
  });

  it('distinguishes groups whose names have a common prefix, or look like keys', async () => {
    const queue = await make({}, '.fifo');
    const groups = ['a', 'a:', 'a:0', '1:a:', 'aa', ':', 'ä', 'a\n'];
    for (const group of groups) await sendToGroup(queue, group, `${group}1`, `${group}2`);
    // Either group may come first; no message from these two groups may come while these are in flight.
    const first = [...(await receiveNow(queue, 1)), ...(await receiveNow(queue, 1))];
    const blocked = first.map(({ groupId }) => groupId!);
    expect(bodies(first)).to.deep.equal(blocked.map((group) => `${group}1`));
    expect(new Set(blocked)).to.have.property('size', 2);
    const others = groups.filter((group) => !blocked.includes(group));
    const expected = others.flatMap((group) => [`${group}1`, `${group}2`]);
    expect(bodies(await receiveAll(queue)).sort()).to.deep.equal(expected.sort());
  });

  describe('with a dead-letter queue', () => {
    let deadLetters: Queue;
    let queue: Queue;

    beforeEach(async () => {
      deadLetters = await make();
      queue = await make({ deadLetterQueue: { name: deadLetters.name, maxReceives: 1 } });
    });

    it('moves messages there in order, keeps the time sent, and deletes all their data from the source', async () => {
      await send(queue, ...'abcde');
      const received = await receiveAll(queue);
      await makeVisible(queue, ...received);
      expect(await receiveNow(queue)).to.deep.equal([]);
      const dead = await receiveNow(deadLetters);
      expect(bodies(dead)).to.deep.equal([...'abcde']);
      for (const [index, { id, sentAt, receiveCount }] of dead.entries()) {
        expect({ id, sentAt, receiveCount }).to.deep.equal({
          id: received[index]!.id,
          sentAt: received[index]!.sentAt,
          receiveCount: 1,
        });
      }
      expect(await raw.keys(keyOf(queue, '*'))).to.deep.equal([keyOf(queue, 'queue')]);
    });

    it('keeps the order within groups of FIFO queues, and delivers the next messages', async () => {
      const ordered = await make({}, '.fifo');
      const source = await make({ deadLetterQueue: { name: ordered.name, maxReceives: 1 } }, '.fifo');
      await sendToGroup(source, 'g', 'g1', 'g2', 'g3');
      await sendToGroup(source, 'h', 'h1', 'h2');
      const [g1, g2] = await receiveNow(source, 2);
      const [h1] = await receiveNow(source, 1);
      await makeVisible(source, g1!, g2!, h1!);
      expect(bodies(await receiveAll(source)).sort()).to.deep.equal(['g3', 'h2']);
      const dead = await receiveAll(ordered);
      expect(dead.filter(({ groupId }) => groupId === 'g').map(({ body }) => body)).to.deep.equal([
        'g1',
        'g2',
      ]);
      expect(dead.filter(({ groupId }) => groupId === 'h').map(({ body }) => body)).to.deep.equal(['h1']);
      expect(await raw.hlen(keyOf(source, 'messages'))).to.equal(2);
      expect(await raw.zcard(keyOf(source, 'order'))).to.equal(2);
    });

    it('delivers them without a limit after that queue is removed, and moves them when it exists again', async () => {
      await send(queue, 'x');
      await makeVisible(queue, await receiveOne(queue));
      await broker.remove(deadLetters.name);
      const again = await receiveOne(queue);
      expect(again.receiveCount).to.equal(2);
      await makeVisible(queue, again);
      await broker.create(deadLetters.name);
      expect(await receiveNow(queue)).to.deep.equal([]);
      expect(await receiveOne(deadLetters)).to.include({ body: 'x', receiveCount: 1 });
    });

    it('moves them on from there if that queue also has a dead-letter queue', async () => {
      const last = await make();
      await broker.create(deadLetters.name, { deadLetterQueue: { name: last.name, maxReceives: 2 } });
      await send(queue, 'x');
      await makeVisible(queue, await receiveOne(queue));
      expect(await receiveNow(queue)).to.deep.equal([]);
      for (const receiveCount of [1, 2]) {
        const message = await receiveOne(deadLetters);
        expect(message.receiveCount).to.equal(receiveCount);
        await makeVisible(deadLetters, message);
      }
      expect(await receiveNow(deadLetters)).to.deep.equal([]);
      expect(await receiveOne(last)).to.include({ body: 'x', receiveCount: 1 });
    });

    it('ignores data that earlier builds left from an interrupted move', async () => {
      await send(queue, 'x');
      const message = await receiveOne(queue);
      await raw.sadd(keyOf(deadLetters, 'arrived'), message.id);
      await makeVisible(queue, message);
      expect(await receiveNow(queue)).to.deep.equal([]);
      expect(bodies(await receiveAll(deadLetters))).to.deep.equal(['x']);
      await raw.del(keyOf(deadLetters, 'arrived'));
    });

    it('gets each message once during many concurrent receives', async () => {
      const all = Array.from({ length: 50 }, (_, index) => String(index));
      for (let start = 0; start < all.length; start += 10) await send(queue, ...all.slice(start, start + 10));
      await makeAllVisible(queue);
      await Promise.all(Array.from({ length: 8 }, () => receiveNow(queue, 3)));
      expect(await receiveAll(queue)).to.deep.equal([]);
      const dead = bodies(await receiveAll(deadLetters)).map(Number);
      expect(dead.sort((one, other) => one - other)).to.deep.equal(all.map(Number));
    });
  });
});

async function makeAllVisible(queue: Queue): Promise<void> {
  const all = await receiveAll(queue);
  for (let start = 0; start < all.length; start += 10)
    await makeVisible(queue, ...all.slice(start, start + 10));
}
