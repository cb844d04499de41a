import { expect } from 'chai';
import sinon from 'sinon';
import type { Message, Queue } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { currentMessage } from '../../src/worker/current-message.ts';
import { refused, sleep } from '../support/faulty-queue.ts';
import { bodiesIn, bodiesOf, faultyQueue, running } from './running.ts';

const unreachable = new BrokerError('unreachable', 'down');
const nothing = { visible: 0, inFlight: 0, delayed: 0 };

describe('delete_on_start', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('starts a worker after the delete of its message is confirmed, and sends nothing afterwards', async () => {
    const { queue, started } = await running(() => sleep(60_000), { deleteOnStart: true });
    queue.always.delete = { milliseconds: 30 };
    await queue.send([{ body: 'a' }]);
    await clock.tickAsync(29);
    expect(started).to.deep.equal([]);
    await clock.tickAsync(1);
    expect(started).to.deep.equal(['a']);
    expect(await queue.counts()).to.deep.equal(nothing);
    await clock.tickAsync(120_000);
    expect(queue.callsOf('delete')).to.have.length(1);
    expect(queue.callsOf('changeVisibility')).to.deep.equal([]);
  });

  it('does not wait to fill a batch: a message costs one round trip', async () => {
    const { started } = await running(
      () => {},
      { deleteOnStart: true, settleDelay: 1_000 },
      { bodies: bodiesOf('a', 50) },
    );
    await clock.tickAsync(100);
    expect(started).to.have.length(50);
  });

  it('deletes messages that start together with one request', async () => {
    const { queue } = await running(
      () => sleep(1_000),
      { deleteOnStart: true, concurrency: 10 },
      { bodies: bodiesOf('a', 10) },
    );
    await clock.tickAsync(100);
    expect(queue.callsOf('delete').map(({ entries }) => entries.length)).to.deep.equal([10]);
  });

  it('does not start a worker while the delete fails, and retries', async () => {
    const { queue, started } = await running(() => {}, { deleteOnStart: true }, { bodies: ['a'] });
    queue.faults.delete.push({ error: unreachable }, { entries: () => refused('InternalError', true) });
    await clock.tickAsync(200);
    expect(started).to.deep.equal([]);
    await clock.tickAsync(5_000);
    expect(started).to.deep.equal(['a']);
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('never starts the worker for a message that it could not delete: the message becomes visible again', async () => {
    const { queue, started } = await running(
      () => {},
      { deleteOnStart: true, visibilityTimeout: 2 },
      { bodies: ['a'] },
    );
    queue.faults.delete.push({ entries: () => refused('ReceiptHandleIsInvalid', false) });
    await clock.tickAsync(1_500);
    expect(started).to.deep.equal([]);
    expect((await queue.counts()).inFlight).to.equal(1);
    await clock.tickAsync(2_000);
    expect(started).to.deep.equal(['a']);
  });

  describe('when the queue delivers a message twice', () => {
    /** Handles `a`, then what the next receive returns: deliveries made from the delivery of `a`. */
    async function startedAfter(deliveriesOf: (first: Message) => Message[]): Promise<string[]> {
      const received: Message[] = [];
      const { queue, started, send } = await running(
        () => {},
        { deleteOnStart: true, concurrency: 2 },
        {
          bodies: ['a'],
          observer: { received: (_: Queue, messages: readonly Message[]) => received.push(...messages) },
        },
      );
      await clock.tickAsync(1_000);
      sinon.stub(queue, 'delete').callsFake(async (handles) => handles.map(() => ({ ok: true })));
      const deliveries = deliveriesOf(received[0]!);
      sinon.stub(queue, 'receive').callThrough().onFirstCall().resolves(deliveries);
      // The long poll in progress receives this message.
      await send('b');
      await clock.tickAsync(10_000);
      expect(received.slice(2)).to.deep.equal(deliveries);
      return started;
    }

    it('handles it once, although both copies are held and both deletes succeed', async () => {
      const started = await startedAfter((first) => [
        { ...first, id: 'c', body: 'c', receiptHandle: 'c-2' },
        { ...first, id: 'c', body: 'c', receiptHandle: 'c-1' },
      ]);
      expect(started).to.deep.equal(['a', 'b', 'c']);
    });

    it('does not handle it again after its delete', async () => {
      const started = await startedAfter((first) => [{ ...first, receiptHandle: 'a-2' }]);
      expect(started).to.deep.equal(['a', 'b']);
    });
  });

  it('returns unhandled messages that it cannot delete before the drain', async () => {
    const { queue, started, consumer, run } = await running(
      () => {},
      { deleteOnStart: true },
      { bodies: ['a', 'b'] },
    );
    queue.always.delete = { error: unreachable };
    await clock.tickAsync(10_000);
    consumer.stop();
    delete queue.always.delete;
    await clock.tickAsync(5_000);
    const report = await run;
    expect([report.unfinished, report.mayRunAgain]).to.deep.equal([0, 0]);
    expect(started).to.deep.equal([]);
    expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 0, delayed: 0 });
  });

  it('lets a worker finish during a drain, and does not count its message as one that may run again', async () => {
    const { consumer, run, started } = await running(
      () => sleep(5_000),
      { deleteOnStart: true },
      { bodies: ['a', 'b'] },
    );
    await clock.tickAsync(1_000);
    consumer.stop();
    let ended = false;
    void run.then(() => {
      ended = true;
    });
    await clock.tickAsync(3_900);
    expect(ended).to.equal(false);
    await clock.tickAsync(2_200);
    expect(await run).to.deep.include({ finished: 1, mayRunAgain: 0, unfinished: 0 });
    expect(started).to.deep.equal(['a']);
  });

  it('loses the message of a worker that does not end, and does not count it as one that may run again', async () => {
    const { consumer, run, queue } = await running(
      () => new Promise(() => {}),
      { deleteOnStart: true, drainTimeout: 1 },
      { bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(20_000);
    expect(await run).to.deep.include({ mayRunAgain: 0, unfinished: 1 });
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('reports a worker as unfinished if the delete of its message is confirmed when the drain is nearly over', async () => {
    const { consumer, run, queue } = await running(
      () => sleep(1_000),
      { deleteOnStart: true, drainTimeout: 1 },
      { bodies: ['a'] },
    );
    queue.faults.delete.push({ milliseconds: 10_000 });
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(20_000);
    expect(await run).to.deep.include({ finished: 0, returned: 0, unfinished: 1, mayRunAgain: 0 });
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  for (const onError of ['delete', 'retry', 'dead_letter'] as const) {
    it(`reports a failure with on_error = ${onError} as a deleted message`, async () => {
      const [failed, settled] = [sinon.spy(), sinon.spy()];
      const deadLetterQueue = await faultyQueue('failed');
      const { queue } = await running(
        () => {
          throw new Error('no such user');
        },
        { deleteOnStart: true, onError, deadLetterQueue },
        { bodies: ['a'], observer: { failed, settled } },
      );
      await clock.tickAsync(60_000);
      const [delivery, error, outcome] = failed.args[0]!;
      expect([delivery.message.body, error.message]).to.deep.equal(['a', 'no such user']);
      expect(outcome).to.deep.equal({ action: 'delete' });
      expect(settled.callCount).to.equal(1);
      expect(await queue.counts()).to.deep.equal(nothing);
      expect(await bodiesIn(deadLetterQueue)).to.deep.equal([]);
    });
  }

  it('holds the message until its worker ends: idle_exit waits for it', async () => {
    const { consumer, run } = await running(
      () => sleep(60_000),
      { deleteOnStart: true, idleExit: 5 },
      { bodies: ['a'] },
    );
    let ended = false;
    void run.then(() => {
      ended = true;
    });
    await clock.tickAsync(59_000);
    expect([ended, consumer.held]).to.deep.equal([false, 1]);
    await clock.tickAsync(30_000);
    expect([ended, consumer.held]).to.deep.equal([true, 0]);
  });

  it('leaves nothing to extend', async () => {
    const { queue } = await running(
      () => currentMessage().extend(600),
      { deleteOnStart: true },
      { bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    expect(queue.callsOf('changeVisibility')).to.deep.equal([]);
  });

  it('does not count a message that it could not delete towards the message limit', async () => {
    const { queue, run, started } = await running(
      () => {},
      { deleteOnStart: true, messageLimit: 2 },
      { bodies: ['a', 'b', 'c'] },
    );
    queue.faults.delete.push({ entries: () => refused('ReceiptHandleIsInvalid', false) });
    await clock.tickAsync(10_000);
    await run;
    expect(started).to.deep.equal(['b', 'c']);
  });
});
