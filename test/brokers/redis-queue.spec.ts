import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { Broker, CreateOptions, Message, Queue } from '../../src/brokers/broker.ts';
import { parseAddress } from '../../src/brokers/redis/address.ts';
import { RedisClient } from '../../src/brokers/redis/client.ts';
import { openRedis } from '../../src/brokers/redis/open.ts';
import { acceptDeadLetters } from '../../src/brokers/redis/scripts/sending.ts';
import {
  bodies,
  giveBack,
  receiveAll,
  receiveNow,
  receiveOne,
  send,
  sendToGroup,
} from '../../src/contract/steps.ts';
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

  /** Lets all messages of a queue be sent so many seconds earlier. */
  async function makeOlder(queue: Queue, seconds: number): Promise<void> {
    const messages = keyOf(queue, 'messages');
    for (const [number, record] of Object.entries(await raw.hgetall(messages))) {
      const sentAt = Number(record.slice(0, 13));
      await raw.hset(messages, number, `${sentAt - seconds * 1000}${record.slice(13)}`);
    }
  }

  it('hands out nothing that is older than its retention, and forgets it', async () => {
    for (const suffix of ['', '.fifo']) {
      const queue = await make({ retentionSeconds: 60 }, suffix);
      const message = (body: string) => ({ body, ...(suffix && { groupId: 'g', deduplicationId: body }) });
      await send(queue, message('old'), message('received'));
      await giveBack(queue, ...(await receiveAll(queue)));
      await makeOlder(queue, 61);
      await send(queue, message('new'));
      expect(bodies(await receiveAll(queue))).to.deep.equal(['new']);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
      expect(await raw.hlen(keyOf(queue, 'receipts'))).to.equal(1);
    }
  });

  it('finds what is visible behind many that are kept no longer, and behind many that were deleted', async () => {
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

  it('remembers deduplication ids for five minutes, and then has nothing of them left', async () => {
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

  it('has nothing in Redis when all is handled, but its settings', async () => {
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

  it('knows when the oldest message was sent, be it delayed, in flight, of a group, or behind deleted ones', async () => {
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
    // The look lists it as visible, and it is deleted only then.
    await receiveNow(rest, 1, 60);
    await rest.delete([gone!.receiptHandle]);
    expect(Date.now() - (await rest.inspect!.oldest!())!).to.be.within(49_000, 60_000);
    await rest.purge();
    expect(await rest.inspect!.oldest!()).to.equal(undefined);
  });

  it('hands groups out in turn: the one that waits the longest first', async () => {
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

  it('tells groups apart whose names begin alike, or look like keys', async () => {
    const queue = await make({}, '.fifo');
    const groups = ['a', 'a:', 'a:0', '1:a:', 'aa', ':', 'ä', 'a\n'];
    for (const group of groups) await sendToGroup(queue, group, `${group}1`, `${group}2`);
    // Which group comes first is nobody's business; no message of these two may come while these are in flight.
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
    let client: RedisClient;

    beforeEach(async () => {
      deadLetters = await make();
      queue = await make({ deadLetterQueue: { name: deadLetters.name, maxReceives: 1 } });
      client = new RedisClient(Redis, parseAddress(redis.addressInEnvironment()!));
    });

    afterEach(() => client.close());

    /** Does what a receive does before its process ends: the dead-letter queue has the message, its own one, too. */
    async function arriveOnly({ id }: Message): Promise<void> {
      const [record] = await raw.hvals(keyOf(queue, 'messages'));
      await client.run(acceptDeadLetters, deadLetters.name, ['0', id, '', record!]);
    }

    it('gets a message once, though the process that moved it ended half-way', async () => {
      await send(queue, 'poison');
      const message = await receiveOne(queue);
      await giveBack(queue, message);
      await arriveOnly(message);
      expect(await queue.counts()).to.include({ visible: 1 });
      expect(await receiveNow(queue)).to.deep.equal([]);
      expect(bodies(await receiveAll(deadLetters))).to.deep.equal(['poison']);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
      expect(await raw.exists(keyOf(deadLetters, 'arrived'))).to.equal(0);
    });

    it('gets it no second time, though it was handled there in between', async () => {
      await send(queue, 'poison');
      const message = await receiveOne(queue);
      await giveBack(queue, message);
      await arriveOnly(message);
      await deadLetters.delete((await receiveAll(deadLetters)).map(({ receiptHandle }) => receiptHandle));
      expect(await receiveNow(queue)).to.deep.equal([]);
      expect(await receiveAll(deadLetters)).to.deep.equal([]);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    });

    it('gets each message once when many receive at once', async () => {
      const all = Array.from({ length: 50 }, (_, index) => String(index));
      for (let start = 0; start < all.length; start += 10) await send(queue, ...all.slice(start, start + 10));
      await giveBackAll(queue);
      await Promise.all(Array.from({ length: 8 }, () => receiveNow(queue, 3)));
      expect(await receiveAll(queue)).to.deep.equal([]);
      const dead = bodies(await receiveAll(deadLetters)).map(Number);
      expect(dead.sort((one, other) => one - other)).to.deep.equal(all.map(Number));
    });
  });
});

async function giveBackAll(queue: Queue): Promise<void> {
  const all = await receiveAll(queue);
  for (let start = 0; start < all.length; start += 10) await giveBack(queue, ...all.slice(start, start + 10));
}
