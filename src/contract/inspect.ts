/** Contract specs: the operations that commands inspect queues with. A queue without an operation skips its specs. */
import { expect } from 'chai';
import type { PeekedMessage, Queue } from '../brokers/broker.ts';
import { QueueNotFoundError } from '../brokers/errors.ts';
import { freshFifoQueue, freshQueue, type Traits, type UnderTest } from './broker-under-test.ts';
import { brokerError, makeVisible, receiveNow, receiveOne, send, sendToGroup } from './operations.ts';

export function inspectsQueues(underTest: UnderTest, traits: Required<Traits>): void {
  describe('inspecting a queue', () => {
    peeks(underTest);
    peeksAtGroups(underTest, traits);
    reportsAgeAndDeadLetters(underTest, traits);
  });
}

function peeks(underTest: UnderTest): void {
  it('peeks at visible messages without receiving them', async function () {
    const queue = await freshQueue(underTest());
    if (!queue.inspect?.peek) this.skip();
    expect(await queue.inspect.peek(10)).to.deep.equal([]);
    const attributes = {
      name: { dataType: 'String', stringValue: 'x' },
      bytes: { dataType: 'Binary', binaryValue: new Uint8Array([1, 2]) },
    };
    await send(queue, { body: 'ä\n', attributes });
    const [shown, ...others] = await queue.inspect.peek(10);
    expect(others).to.deep.equal([]);
    expect(await queue.inspect.peek(10)).to.deep.equal([shown]);
    expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
    const { receiptHandle: _, ...received } = await receiveOne(queue);
    expect(shown).to.deep.equal({ ...received, receiveCount: 0 });
  });

  it('peeks at no message that is in flight or delayed, and shows receive counts', async function () {
    const queue = await freshQueue(underTest());
    if (!queue.inspect?.peek) this.skip();
    await send(queue, 'a', 'b', { body: 'late', delaySeconds: 60 });
    const [message] = await receiveNow(queue, 1);
    expect(await shown(queue)).to.deep.equal([message?.body === 'a' ? ['b', 0] : ['a', 0]]);
    await makeVisible(queue, message!);
    expect(new Map(await shown(queue)).get(message!.body)).to.equal(1);
  });

  it('peeks at no more messages than requested, in the order of delivery', async function () {
    const queue = await freshQueue(underTest());
    if (!queue.inspect?.peek) this.skip();
    await send(queue, ...'abcdefghij');
    await send(queue, ...'klmnopqrst');
    const bodies = (messages: readonly PeekedMessage[]) => messages.map(({ body }) => body).join('');
    expect(bodies(await queue.inspect.peek(12))).to.equal('abcdefghijkl');
    expect(bodies(await queue.inspect.peek(1_000))).to.equal('abcdefghijklmnopqrst');
  });

  it('peeks at a message whose delay or visibility timeout has just ended', async function () {
    const queue = await freshQueue(underTest());
    if (!queue.inspect?.peek) this.skip();
    await send(queue, 'timed out');
    await receiveOne(queue, 1);
    await send(queue, { body: 'delayed', delaySeconds: 1 });
    expect(await shown(queue)).to.deep.equal([]);
    await underTest().advance(1);
    expect(new Map(await shown(queue))).to.deep.equal(
      new Map([
        ['timed out', 1],
        ['delayed', 0],
      ]),
    );
  });
}

function peeksAtGroups(underTest: UnderTest, traits: Required<Traits>): void {
  if (traits.fifo) {
    it('peeks at messages that wait behind others in their group, in order', async function () {
      const queue = await freshFifoQueue(underTest());
      if (!queue.inspect?.peek) this.skip();
      await sendToGroup(queue, 'g', '1', '2', '3');
      await sendToGroup(queue, 'h', '4');
      const [first] = await receiveNow(queue, 1);
      const messages = await queue.inspect.peek(10);
      const left = ['1', '2', '3', '4'].filter((body) => body !== first?.body);
      expect(messages.map(({ body }) => body).sort()).to.deep.equal(left);
      const ofGroup = messages.filter(({ groupId }) => groupId === 'g').map(({ body }) => body);
      expect(ofGroup).to.deep.equal(ofGroup.toSorted());
      expect(messages[0]).to.have.property('sequenceNumber').that.is.a('string');
    });
  }
}

function reportsAgeAndDeadLetters(underTest: UnderTest, traits: Required<Traits>): void {
  it('returns when the oldest message was sent, whatever its state', async function () {
    const queue = await freshQueue(underTest());
    if (!queue.inspect?.oldest) this.skip();
    expect(await queue.inspect.oldest()).to.equal(undefined);
    await send(queue, 'old');
    const { sentAt } = await receiveOne(queue);
    await underTest().advance(0.01);
    await send(queue, 'new');
    expect(await queue.inspect.oldest()).to.equal(sentAt);
  });

  it('returns the dead-letter queue, and the sources of a dead-letter queue', async function () {
    const dead = await freshQueue(underTest());
    if (!dead.inspect?.deadLetterQueue) this.skip();
    const target = { name: dead.name, maxReceives: 3 };
    const queue = await freshQueue(underTest(), { deadLetterQueue: target });
    expect(await dead.inspect.deadLetterQueue()).to.equal(undefined);
    expect(await queue.inspect?.deadLetterQueue?.()).to.deep.equal(target);
    if (!traits.listsSources || !dead.inspect.deadLetterSources) return;
    expect(await dead.inspect.deadLetterSources()).to.deep.equal([queue.name]);
    expect(await queue.inspect?.deadLetterSources?.()).to.deep.equal([]);
  });

  it('fails for a queue that was removed', async () => {
    const { broker } = underTest();
    const queue = await freshQueue(underTest());
    await broker.remove(queue.name);
    for (const look of ['peek', 'oldest', 'deadLetterQueue', 'deadLetterSources'] as const) {
      const looking = queue.inspect?.[look]?.(1);
      if (looking) expect(await brokerError(looking)).to.be.instanceOf(QueueNotFoundError);
    }
  });
}

async function shown(queue: Queue): Promise<[string, number][]> {
  const messages = await queue.inspect!.peek!(10);
  return messages.map(({ body, receiveCount }) => [body, receiveCount]);
}
