/** Contract specs: order within message groups, deduplication, and message groups on standard queues. */
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
  makeVisible,
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
  it('reports that it is a FIFO queue', async () => {
    const queue = await freshFifoQueue(underTest(), { contentBasedDeduplication: true });
    expect(queue).to.include({ fifo: true, contentBasedDeduplication: true });
    expect(await freshFifoQueue(underTest())).to.include({ fifo: true, contentBasedDeduplication: false });
    expect(await freshQueue(underTest())).to.include({ fifo: false, contentBasedDeduplication: false });
  });

  it('returns the message group, the deduplication id and a sequence number', async () => {
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
    it('returns several messages from a group in one receive', async () => {
      const queue = await freshFifoQueue(underTest());
      await sendToGroup(queue, 'g', 'a', 'b', 'c');
      expect(bodies(await receiveNow(queue))).to.deep.equal(['a', 'b', 'c']);
    });
  }
}

function blocksGroups(underTest: UnderTest): void {
  it('blocks a group while one of its messages is in flight, until the message is deleted', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'a', 'b');
    const [first] = await receiveNow(queue, 1);
    expect(await receiveNow(queue)).to.deep.equal([]);
    expectOk(await queue.delete([first!.receiptHandle]));
    expect((await receiveOne(queue)).body).to.equal('b');
  });

  it('blocks a group until its message in flight is visible again, and then returns that message first', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'a', 'b');
    await receiveNow(queue, 1, 1);
    expect(await receiveNow(queue)).to.deep.equal([]);
    await underTest().advance(1);
    const [again] = await receiveNow(queue, 1);
    expect(again).to.include({ body: 'a', receiveCount: 2 });
  });

  it('keeps the order when messages are returned to the queue', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'a', 'b', 'c');
    const received = await receiveNow(queue, 2);
    await makeVisible(queue, ...received.reverse());
    expect(bodies(await receiveAndDeleteAll(queue))).to.deep.equal(['a', 'b', 'c']);
  });

  it('delivers messages from different groups at the same time', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'g1', 'g2');
    await receiveNow(queue, 1);
    await sendToGroup(queue, 'h', 'h1');
    expect((await receiveOne(queue)).body).to.equal('h1');
  });
}

function keepsOrderAmongConsumers(underTest: UnderTest, traits: Required<Traits>): void {
  it('resolves a pending long poll when a delete unblocks a group', async () => {
    const queue = await freshFifoQueue(underTest());
    await sendToGroup(queue, 'g', 'a', 'b');
    const [first] = await receiveNow(queue, 1);
    const polling = queue.receive({ max: 10, waitSeconds: 5 });
    await underTest().advance(0.1);
    await queue.delete([first!.receiptHandle]);
    expect(bodies(await polling)).to.deep.equal(['b']);
  });

  it('refuses to delete a message, or to change its visibility, after its visibility timeout has ended', async () => {
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

  it('keeps the order within each group with several concurrent consumers', async () => {
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

  it("holds a group back for the queue's delay", async () => {
    const queue = await freshFifoQueue(underTest(), { delaySeconds: 1 });
    await sendToGroup(queue, 'g', 'a');
    expect(await receiveNow(queue)).to.deep.equal([]);
    await underTest().advance(1);
    expect((await receiveOne(queue)).body).to.equal('a');
  });
}

function dropsDuplicates(underTest: UnderTest, traits: Required<Traits>): void {
  it('drops a second message with the same deduplication id, even after the first is deleted', async () => {
    const queue = await freshFifoQueue(underTest());
    const message = { body: 'x', groupId: 'g', deduplicationId: 'd' };
    const [first, second] = await send(queue, message, { ...message, body: 'y' });
    expect(second).to.deep.equal(first);
    expect(bodies(await receiveAndDeleteAll(queue))).to.deep.equal(['x']);
    const [third] = await send(queue, { ...message, groupId: 'h' });
    expect(third).to.deep.equal(first);
    expect(await receiveNow(queue)).to.deep.equal([]);
  });

  it('derives the deduplication id from the body with content-based deduplication', async () => {
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
  it('refuses only a message without a group, without a deduplication id, or with a delay', async () => {
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
    it('is not needed for message groups: a standard queue returns the group id and blocks nothing', async () => {
      const queue = await freshQueue(underTest());
      await send(queue, { body: 'a', groupId: 'tenant' }, { body: 'b', groupId: 'tenant' });
      const messages = [...(await receiveNow(queue, 1)), ...(await receiveNow(queue, 1))];
      expect(messages.map(({ groupId }) => groupId)).to.deep.equal(['tenant', 'tenant']);
    });
  }
}

export function hasNoFifoQueues(underTest: UnderTest): void {
  it('refuses to create a FIFO queue', async () => {
    const { broker } = underTest();
    const name = freshName('.fifo');
    for (const attempt of [broker.create(name), broker.open(name)]) {
      expect((await brokerError(attempt)).kind).to.be.oneOf(['rejected', 'missing']);
    }
    expect(await broker.list(name)).to.deep.equal([]);
  });
}

/**
 * Runs one consumer for each queue until together they have handled `total` messages. Resolves to the messages in the order
 * in which they were received. Fails if two consumers hold messages from the same group at the same time.
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
      for (const group of groups)
        expect(held.has(group), `another consumer holds group ${group}`).to.equal(false);
      for (const group of groups) held.add(group);
      handled.push(...messages);
      // Handling takes some time, also on a fake clock.
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
        // All messages are handled, or this consumer failed: stop the other consumers.
        ending.abort();
      }
    }),
  );
  return handled;
}
