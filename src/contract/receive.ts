/** Contract specs: visibility timeouts, deletes and receipt handles. */
import { expect } from 'chai';
import { freshQueue, openedTwice, type Traits, type UnderTest } from './broker-under-test.ts';
import {
  bodies,
  expectOk,
  expectRefused,
  makeVisible,
  receiveAll,
  receiveAndDeleteAll,
  receiveNow,
  receiveOne,
  send,
  sortedBodies,
} from './operations.ts';

export function receivesAndDeletes(underTest: UnderTest, traits: Required<Traits>): void {
  describe('receiving and deleting', () => {
    hidesReceivedMessages(underTest);
    deletesByReceiptHandle(underTest, traits);
    sharesMessages(underTest, traits);
  });
}

function hidesReceivedMessages(underTest: UnderTest): void {
  it('returns no more messages than requested', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'a', 'b', 'c');
    const first = await receiveNow(queue, 2);
    const rest = await receiveNow(queue, 2);
    expect([first.length, rest.length]).to.deep.equal([2, 1]);
    expect(sortedBodies([...first, ...rest])).to.deep.equal(['a', 'b', 'c']);
  });

  it("hides a received message for the queue's visibility timeout, then delivers it again", async () => {
    const queue = await freshQueue(underTest(), { visibilityTimeout: 1 });
    await send(queue, 'x');
    const [first] = await queue.receive({ max: 10, waitSeconds: 0 });
    expect(await receiveNow(queue)).to.deep.equal([]);
    await underTest().advance(1);
    const again = await receiveOne(queue);
    expect(again).to.include({ id: first?.id, body: 'x', receiveCount: 2, sentAt: first?.sentAt });
    expect(again.receiptHandle).not.to.equal(first?.receiptHandle);
  });

  it("can override the queue's visibility timeout for one receive", async () => {
    const queue = await freshQueue(underTest(), { visibilityTimeout: 600 });
    await send(queue, 'x');
    await receiveOne(queue, 1);
    await underTest().advance(1);
    expect((await receiveOne(queue)).receiveCount).to.equal(2);
  });

  it('never delivers a deleted message again', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const { receiptHandle } = await receiveOne(queue, 1);
    expectOk(await queue.delete([receiptHandle]));
    await underTest().advance(1);
    expect(await receiveNow(queue)).to.deep.equal([]);
  });
}

function deletesByReceiptHandle(underTest: UnderTest, traits: Required<Traits>): void {
  it('deletes ten messages in one request, with a result for each', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, ...'abcdefghij');
    const results = await queue.delete((await receiveAll(queue)).map(({ receiptHandle }) => receiptHandle));
    expect(results).to.have.length(10);
    expectOk(results);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('accepts deleting a message twice, in one request or in two', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const { receiptHandle } = await receiveOne(queue);
    expectOk(await queue.delete([receiptHandle, receiptHandle]));
    expectOk(await queue.delete([receiptHandle]));
  });

  if (traits.refusesBadReceipts) {
    it('refuses only an invalid receipt handle, and deletes the other messages in the same request', async () => {
      const queue = await freshQueue(underTest());
      await send(queue, 'a', 'b');
      const [one, two] = await receiveAll(queue);
      const results = await queue.delete([one!.receiptHandle, 'not a handle', two!.receiptHandle]);
      expect(results.map(({ ok }) => ok)).to.deep.equal([true, false, true]);
      expectRefused(results[1]);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    });
  }

  it('does not delete by an old receipt handle after the message was received again', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const old = await receiveOne(queue);
    await makeVisible(queue, old);
    const current = await receiveOne(queue);
    const [result] = await queue.delete([old.receiptHandle]);
    if (traits.refusesBadReceipts) expectRefused(result);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
    expectOk(await queue.delete([current.receiptHandle]));
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('does not mix up the receipt handles in one request', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'a', 'b');
    const old = await receiveAll(queue);
    await makeVisible(queue, ...old);
    const current = await receiveAll(queue);
    const oldA = old.find(({ body }) => body === 'a')!;
    const currentB = current.find(({ body }) => body === 'b')!;
    await queue.delete([oldA.receiptHandle, currentB.receiptHandle]);
    const currentA = current.find(({ body }) => body === 'a')!;
    await makeVisible(queue, currentA);
    expect(bodies(await receiveAll(queue))).to.deep.equal(['a']);
  });
}

function sharesMessages(underTest: UnderTest, traits: Required<Traits>): void {
  it('does not delete or change a message by a receipt handle from another queue', async () => {
    const queues = [await freshQueue(underTest()), await freshQueue(underTest())] as const;
    for (const queue of queues) await send(queue, 'x');
    const [{ receiptHandle }] = [await receiveOne(queues[0]), await receiveOne(queues[1])];
    await queues[1].delete([receiptHandle]);
    await queues[1].changeVisibility([{ receiptHandle, seconds: 0 }]);
    for (const queue of queues) {
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
    }
  });

  if (traits.passesMinutes) {
    it("does not deliver messages older than the queue's retention period", async () => {
      const queue = await freshQueue(underTest(), { retentionSeconds: 60 });
      await send(queue, 'old');
      await underTest().advance(59);
      await makeVisible(queue, await receiveOne(queue));
      await send(queue, 'new');
      await underTest().advance(1);
      expect(bodies(await receiveAll(queue))).to.deep.equal(['new']);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
    });
  }

  it('delivers each message to exactly one of many consumers', async () => {
    const queue = await freshQueue(underTest());
    const queues = await openedTwice(underTest(), queue);
    const all = Array.from({ length: 100 }, (_, index) => `body ${index}`);
    for (let start = 0; start < all.length; start += 10) await send(queue, ...all.slice(start, start + 10));
    const received = await Promise.all(
      Array.from({ length: 8 }, (_, index) => receiveAndDeleteAll(queues[index % queues.length]!, 3)),
    );
    expect(sortedBodies(received.flat())).to.deep.equal(all.toSorted());
  });

  it('delivers each message to exactly one of many concurrent receives, and leaves none behind', async () => {
    const queue = await freshQueue(underTest());
    const queues = await openedTwice(underTest(), queue);
    const all = [...'abcdefghijklmnopqrst'];
    await send(queue, ...all.slice(0, 10));
    await send(queue, ...all.slice(10));
    const received = await Promise.all(
      Array.from({ length: 20 }, (_, index) => receiveNow(queues[index % queues.length]!, 3)),
    );
    const messages = [...received.flat(), ...(await receiveAll(queue))];
    expect(sortedBodies(messages)).to.deep.equal(all);
    expect(messages.map(({ receiveCount }) => receiveCount)).to.deep.equal(all.map(() => 1));
  });
}
