/** The contract: order within message groups, deduplication, and groups on standard queues. */
import { expect } from 'chai';
import type { Message, Queue } from '../brokers/broker.ts';
import {
  freshFifoQueue,
  freshName,
  freshQueue,
  openedTwice,
  type Traits,
  type UnderTest,
} from './broker-under-test.ts';
import {
  bodies,
  brokerError,
  expectOk,
  expectRefused,
  giveBack,
  receiveAndDeleteAll,
  receiveNow,
  receiveOne,
  send,
  sendToGroup,
} from './operations.ts';

export function keepsOrderInGroups(underTest: UnderTest, traits: Required<Traits>): void {
  describe('a FIFO queue', () => {
    givesGroupAndNumber(underTest, traits);
    blocksGroups(underTest);
    keepsOrderAmongConsumers(underTest, traits);
    dropsDuplicates(underTest, traits);
    refusesBadMessages(underTest, traits);
  });
}

function givesGroupAndNumber(underTest: UnderTest, traits: Required<Traits>): void {
  it('says that it is one', async () => {
    const queue = await freshFifoQueue(underTest(), { contentBasedDeduplication: true });
    expect(queue).to.include({ fifo: true, contentBasedDeduplication: true });
    expect(await freshFifoQueue(underTest())).to.include({ fifo: true, contentBasedDeduplication: false });
    expect(await freshQueue(underTest())).to.include({ fifo: false, contentBasedDeduplication: false });
  });

  it('gives back the message group, the deduplication id and a sequence number', async () => {
    const queue = await freshFifoQueue(underTest());
    const [sent] = await send(queue, { body: 'x', groupId: 'g', deduplicationId: 'd' });
    const message = await receiveOne(queue);
    expect(message).to.include({ id: sent?.messageId, groupId: 'g', deduplicationId: 'd' });
    expect(message.sequenceNumber).to.equal(sent?.sequenceNumber).and.to.match(/^\d+$/);
  });

  it('keeps the order within a group', async () => {
    const queue = await freshFifoQueue(underTest());
    const all = [...'abcdefghijklmnopqrst'];
    await sendToGroup(queue, 'g', ...all.slice(0, 10));
    await sendToGroup(queue, 'g', ...all.slice(10));
    const messages = await receiveAndDeleteAll(queue);
    expect(bodies(messages)).to.deep.equal(all);
    const numbers = messages.map(({ sequenceNumber }) => BigInt(sequenceNumber ?? ''));
    expect(numbers).to.deep.equal(numbers.toSorted((one, other) => (one < other ? -1 : 1)));
    expect(new Set(numbers)).to.have.property('size', all.length);
  });

  if (traits.severalOfAGroup) {
    it('hands out several messages of a group in one receive', async () => {
      const queue = await freshFifoQueue(underTest());
      await sendToGroup(queue, 'g', 'a', 'b', 'c');
      expect(bodies(await receiveNow(queue))).to.deep.equal(['a', 'b', 'c']);
    });
  }
}

function blocksGroups(underTest: UnderTest): void {
  it('blocks a group while one of its messages is in flight, until that is deleted', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'a', 'b');
    const [first] = await receiveNow(queue, 1);
    expect(await receiveNow(queue)).to.deep.equal([]);
    expectOk(await queue.delete([first!.receiptHandle]));
    expect((await receiveOne(queue)).body).to.equal('b');
  });

  it('blocks a group until its message is visible again, and then starts with that', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'a', 'b');
    await receiveNow(queue, 1, 1);
    expect(await receiveNow(queue)).to.deep.equal([]);
    await underTest().advance(1);
    const [again] = await receiveNow(queue, 1);
    expect(again).to.include({ body: 'a', receiveCount: 2 });
  });

  it('keeps the order when messages are given back', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'a', 'b', 'c');
    const received = await receiveNow(queue, 2);
    await giveBack(queue, ...received.reverse());
    expect(bodies(await receiveAndDeleteAll(queue))).to.deep.equal(['a', 'b', 'c']);
  });

  it('lets groups go side by side', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'g1', 'g2');
    await receiveNow(queue, 1);
    await sendToGroup(queue, 'h', 'h1');
    expect((await receiveOne(queue)).body).to.equal('h1');
  });
}

function keepsOrderAmongConsumers(underTest: UnderTest, traits: Required<Traits>): void {
  it('ends a long poll when a delete frees a group', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'a', 'b');
    const [first] = await receiveNow(queue, 1);
    const polling = queue.receive({ max: 10, waitSeconds: 5 });
    await underTest().advance(0.1);
    await queue.delete([first!.receiptHandle]);
    expect(bodies(await polling)).to.deep.equal(['b']);
  });

  it('does not let a receipt handle delete or move its message once the visibility timeout is over', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'a');
    const { receiptHandle } = await receiveOne(queue, 1);
    await underTest().advance(1);
    const [result] = await queue.changeVisibility([{ receiptHandle, seconds: 60 }]);
    if (traits.refusesBadReceipts) expectRefused(result);
    const [deleted] = await queue.delete([receiptHandle]);
    if (traits.refusesBadReceipts) {
      expectRefused(deleted);
      expect((await receiveOne(queue)).receiveCount).to.equal(2);
    }
  });

  it('keeps the order of each group with several consumers at once', async () => {
    const queue = await freshFifoQueue(underTest());
    const all = [...'abcdefghij'];
    const groups = ['g', 'h'];
    for (const group of groups) await sendToGroup(queue, group, ...all);
    const queues = await openedTwice(underTest(), queue);
    const handled = await handledBySeveral([...queues, ...queues, ...queues], all.length * groups.length);
    for (const group of groups) {
      expect(bodies(handled.filter(({ groupId }) => groupId === group))).to.deep.equal(all);
    }
  });

  it("keeps a group back for the queue's delay", async () => {
    const queue = await freshFifoQueue(underTest(), { delaySeconds: 1 });
    await sendToGroup(queue, 'g', 'a');
    expect(await receiveNow(queue)).to.deep.equal([]);
    await underTest().advance(1);
    expect((await receiveOne(queue)).body).to.equal('a');
  });
}

function dropsDuplicates(underTest: UnderTest, traits: Required<Traits>): void {
  it('drops a second message with the same deduplication id, also when the first is handled', async () => {
    const queue = await freshFifoQueue(underTest());
    const message = { body: 'x', groupId: 'g', deduplicationId: 'd' };
    const [first, second] = await send(queue, message, { ...message, body: 'y' });
    expect(second).to.deep.equal(first);
    expect(bodies(await receiveAndDeleteAll(queue))).to.deep.equal(['x']);
    const [third] = await send(queue, { ...message, groupId: 'h' });
    expect(third).to.deep.equal(first);
    expect(await receiveNow(queue)).to.deep.equal([]);
  });

  it('takes the deduplication id from the body if the queue is made so', async () => {
    const queue = await freshFifoQueue(underTest(), { contentBasedDeduplication: true });
    const [first, second, other] = await send(
      queue,
      { body: 'x', groupId: 'g' },
      { body: 'x', groupId: 'g' },
      { body: 'x', groupId: 'g', deduplicationId: 'another' },
    );
    expect(second?.messageId).to.equal(first?.messageId);
    expect(other?.messageId).not.to.equal(first?.messageId);
    const messages = await receiveAndDeleteAll(queue);
    expect(messages.map(({ deduplicationId }) => deduplicationId)).to.deep.equal([
      '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
      'another',
    ]);
  });

  if (traits.passesMinutes) {
    it('forgets deduplication ids after five minutes', async () => {
      const queue = await freshFifoQueue(underTest());
      const message = { body: 'x', groupId: 'g', deduplicationId: 'd' };
      await send(queue, message);
      await underTest().advance(299);
      await send(queue, message);
      await underTest().advance(1);
      await send(queue, message);
      expect(await receiveAndDeleteAll(queue)).to.have.length(2);
    });
  }
}

function refusesBadMessages(underTest: UnderTest, traits: Required<Traits>): void {
  it('refuses a message without a group, without a deduplication id, or with a delay, and only that', async () => {
    const queue = await freshFifoQueue(underTest());
    const results = await queue.send([
      { body: 'no group', deduplicationId: '1' },
      { body: 'no deduplication id', groupId: 'g' },
      { body: 'delayed', groupId: 'g', deduplicationId: '2', delaySeconds: 1 },
      { body: 'good', groupId: 'g', deduplicationId: '3' },
    ]);
    for (const result of results.slice(0, 3)) expectRefused(result);
    expect(results[3]?.ok).to.equal(true);
    expect(bodies(await receiveAndDeleteAll(queue))).to.deep.equal(['good']);
  });

  if (traits.fairQueues) {
    it('is not needed for message groups: a standard queue gives them back, and blocks nothing', async () => {
      const queue = await freshQueue(underTest());
      await send(queue, { body: 'a', groupId: 'tenant' }, { body: 'b', groupId: 'tenant' });
      const messages = [...(await receiveNow(queue, 1)), ...(await receiveNow(queue, 1))];
      expect(messages.map(({ groupId }) => groupId)).to.deep.equal(['tenant', 'tenant']);
    });
  }
}

export function hasNoFifoQueues(underTest: UnderTest): void {
  it('refuses to make a FIFO queue', async () => {
    const { broker } = underTest();
    const name = freshName('.fifo');
    for (const attempt of [broker.create(name), broker.open(name)]) {
      expect((await brokerError(attempt)).kind).to.be.oneOf(['rejected', 'missing']);
    }
    expect(await broker.list(name)).to.deep.equal([]);
  });
}

/**
 * A consumer for each of the queues receives, handles and deletes, until they have handled `total` messages together;
 * resolves to these in the order in which they were received. No two may hold messages of one group at a time.
 */
async function handledBySeveral(queues: readonly Queue[], total: number): Promise<Message[]> {
  const handled: Message[] = [];
  const held = new Set<string | undefined>();
  const ending = new AbortController();
  const consume = async (queue: Queue) => {
    while (handled.length < total) {
      const messages = await queue.receive({ max: 2, waitSeconds: 2, signal: ending.signal });
      if (messages.length === 0) continue;
      const groups = [...new Set(messages.map(({ groupId }) => groupId))];
      for (const group of groups) expect(held.has(group), `held already: the group ${group}`).to.equal(false);
      for (const group of groups) held.add(group);
      handled.push(...messages);
      // Handling takes a while, on any clock.
      await queue.counts();
      for (const group of groups) held.delete(group);
      expectOk(await queue.delete(messages.map(({ receiptHandle }) => receiptHandle)));
    }
  };
  await Promise.all(
    queues.map(async (queue) => {
      try {
        await consume(queue);
      } catch (error) {
        if (error !== ending.signal.reason) throw error;
      } finally {
        // The others have nothing to wait for: all is handled, or this one has failed.
        ending.abort();
      }
    }),
  );
  return handled;
}
