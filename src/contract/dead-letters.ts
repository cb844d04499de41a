/** Contract specs: a message that was received too many times moves to the dead-letter queue. */
import { expect } from 'chai';
import type { Queue } from '../brokers/broker.ts';
import { QueueNotFoundError } from '../brokers/errors.ts';
import {
  type BrokerUnderTest,
  freshFifoQueue,
  freshName,
  freshQueue,
  type Traits,
  type UnderTest,
} from './broker-under-test.ts';
import {
  bodies,
  brokerError,
  makeVisible,
  receiveAll,
  receiveNow,
  receiveOne,
  send,
  sendToGroup,
} from './operations.ts';

export function movesDeadLetters(underTest: UnderTest, traits: Required<Traits>): void {
  describe('a dead-letter queue', () => {
    movesWhatWasReceivedTooOften(underTest, traits);
    keepsGroupsOfDeadLetters(underTest, traits);
    needsItsDeadLetterQueue(underTest);
  });
}

function movesWhatWasReceivedTooOften(underTest: UnderTest, traits: Required<Traits>): void {
  it('gets a message when a receive would exceed the maximum receive count', async () => {
    const [queue, deadLetters] = await withDeadLetterQueue(underTest(), 2);
    const attributes = { kind: { dataType: 'String', stringValue: 'poison' } };
    const [sent] = await send(queue, { body: 'poison', attributes });
    for (const receiveCount of [1, 2]) {
      const message = await receiveOne(queue);
      expect(message.receiveCount).to.equal(receiveCount);
      await makeVisible(queue, message);
      expect((await deadLetters.counts()).visible).to.equal(0);
    }
    expect(await receiveNow(queue)).to.deep.equal([]);
    const dead = await receiveOne(deadLetters);
    expect(dead).to.include({ id: sent?.messageId, body: 'poison' });
    expect(dead.attributes.kind).to.deep.include(attributes.kind);
    if (traits.countsDeadLettersAnew) expect(dead.receiveCount).to.equal(1);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('does not get other messages from the queue', async () => {
    const [queue, deadLetters] = await withDeadLetterQueue(underTest(), 1);
    await send(queue, 'poison');
    await makeVisible(queue, await receiveOne(queue));
    await send(queue, 'good');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['good']);
    expect(bodies(await receiveAll(deadLetters))).to.deep.equal(['poison']);
  });

  it('does not get a message that was deleted in time', async () => {
    const [queue, deadLetters] = await withDeadLetterQueue(underTest(), 1);
    await send(queue, 'x');
    await queue.delete([(await receiveOne(queue, 1)).receiptHandle]);
    await underTest().advance(1);
    expect(await receiveNow(queue)).to.deep.equal([]);
    expect(await receiveNow(deadLetters)).to.deep.equal([]);
  });

  it('resolves a pending long poll when it gets a message', async () => {
    const [queue, deadLetters] = await withDeadLetterQueue(underTest(), 1);
    await send(queue, 'poison');
    await makeVisible(queue, await receiveOne(queue));
    const polling = deadLetters.receive({ max: 10, waitSeconds: 5 });
    expect(await receiveNow(queue)).to.deep.equal([]);
    expect(bodies(await polling)).to.deep.equal(['poison']);
  });
}

function keepsGroupsOfDeadLetters(underTest: UnderTest, traits: Required<Traits>): void {
  if (traits.fifo) {
    it('unblocks the message group when it gets a message from a FIFO queue', async () => {
      const deadLetters = await freshFifoQueue(underTest());
      const queue = await freshFifoQueue(underTest(), {
        deadLetterQueue: { name: deadLetters.name, maxReceives: 1 },
      });
      await sendToGroup(queue, 'g', 'poison', 'next');
      const [poison] = await receiveNow(queue, 1);
      await makeVisible(queue, poison!);
      expect(bodies(await receiveAll(queue))).to.deep.equal(['next']);
      expect(await receiveOne(deadLetters)).to.include({ body: 'poison', groupId: 'g' });
    });

    it('gets a message from a FIFO queue with its attributes', async () => {
      const deadLetters = await freshFifoQueue(underTest());
      const queue = await freshFifoQueue(underTest(), {
        deadLetterQueue: { name: deadLetters.name, maxReceives: 1 },
      });
      const attributes = { kind: { dataType: 'String', stringValue: 'poison' } };
      await send(queue, { body: 'poison', attributes, groupId: 'g', deduplicationId: 'd' });
      const message = await receiveOne(queue);
      expect(message.attributes.kind).to.deep.include(attributes.kind);
      await makeVisible(queue, message);
      expect(await receiveNow(queue)).to.deep.equal([]);
      const dead = await receiveOne(deadLetters);
      expect(dead).to.include({ body: 'poison', groupId: 'g' });
      expect(dead.attributes.kind).to.deep.include(attributes.kind);
    });
  }
}

function needsItsDeadLetterQueue(underTest: UnderTest): void {
  it('can be removed without losing messages: they are then received without a limit', async () => {
    const [queue, deadLetters] = await withDeadLetterQueue(underTest(), 1);
    await underTest().broker.remove(deadLetters.name);
    await send(queue, 'x');
    await makeVisible(queue, await receiveOne(queue));
    expect(await receiveOne(queue)).to.include({ body: 'x', receiveCount: 2 });
  });

  it('must exist when a queue that uses it is created', async () => {
    const missing = freshName();
    const options = { deadLetterQueue: { name: missing, maxReceives: 1 } };
    const error = await brokerError(underTest().broker.create(freshName(), options));
    expect(error).to.be.instanceOf(QueueNotFoundError).with.property('queue', missing);
  });
}

async function withDeadLetterQueue(under: BrokerUnderTest, maxReceives: number): Promise<[Queue, Queue]> {
  const deadLetters = await freshQueue(under);
  return [await freshQueue(under, { deadLetterQueue: { name: deadLetters.name, maxReceives } }), deadLetters];
}
