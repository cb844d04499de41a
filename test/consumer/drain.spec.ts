import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { DrainTimeoutError } from '../../src/consumer/held-message.ts';
import { currentMessage } from '../../src/worker/current-message.ts';
import { refused, sleep } from '../support/faulty-queue.ts';
import { faultyQueue, openConsumer, running, settled } from './running.ts';

const unreachable = { error: new BrokerError('unreachable', 'down') };
const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

describe('the drain', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('lets the running worker finish, returns waiting messages, settles everything and reports it', async () => {
    const { consumer, run, started, queue } = await running(() => sleep(20), {}, { bodies: numbers(40) });
    queue.always.receive = { milliseconds: 5 };
    await clock.tickAsync(310);
    const handledBefore = started.length;
    consumer.stop();
    await clock.tickAsync(5_000);
    const report = await run;
    expect(started).to.have.length(handledBefore);
    expect(report.finished).to.equal(1);
    expect(report.returned).to.be.greaterThan(0);
    expect(report.mayRunAgain).to.equal(0);
    expect(await queue.counts()).to.deep.equal({ visible: 40 - handledBefore, inFlight: 0, delayed: 0 });
  });

  it('starts no more messages, not even those already received', async () => {
    const stopping: { consumer?: { stop(): void } } = {};
    const parts = await running(
      ({ body }) => {
        if (body === '3') stopping.consumer?.stop();
        return body === '0' ? sleep(1) : undefined;
      },
      { prefetch: 10 },
      { bodies: numbers(20) },
    );
    stopping.consumer = parts.consumer;
    await clock.tickAsync(5_000);
    expect(await parts.run).to.deep.include({ mayRunAgain: 0, unfinished: 0 });
    expect(parts.started).to.deep.equal(['0', '1', '2', '3']);
    expect(await parts.queue.counts()).to.deep.equal({ visible: 16, inFlight: 0, delayed: 0 });
  });

  it('resolves after the last message has been settled, not before', async () => {
    const { consumer, run, queue } = await running(() => sleep(5_000), {}, { bodies: ['a'] });
    let ended = false;
    void run.then(() => {
      ended = true;
    });
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(3_900);
    expect(ended).to.equal(false);
    await clock.tickAsync(500);
    expect(ended).to.equal(true);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('returns, unhandled, messages that a poll still delivers after the stop', async () => {
    const { consumer, run, send, started, queue } = await running(() => {});
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(1);
    await send('late');
    await clock.tickAsync(5_000);
    const report = await run;
    expect(started).to.deep.equal([]);
    expect([report.held, report.returned]).to.deep.equal([1, 1]);
    expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
  });

  it('waits for the messages of a receive that got them before it was aborted', async () => {
    const { consumer, run, started, queue, send } = await running(() => {}, { poll: 1 });
    queue.abortsReceives = true;
    const receive = queue.receive.bind(queue);
    sinon.stub(queue, 'receive').callsFake(async ({ max, waitSeconds }) => {
      const messages = await receive({ max, waitSeconds });
      await sleep(500);
      return messages;
    });
    // The first poll is over.
    await clock.tickAsync(1_100);
    await send('late');
    await clock.tickAsync(100);
    consumer.stop();
    await clock.tickAsync(5_000);
    expect(await run).to.include({ held: 1, returned: 1 });
    expect(started).to.deep.equal([]);
    expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
  });

  it('requests no more messages, even if a slot becomes free and messages are available', async () => {
    const stopping: { consumer?: { stop(): void } } = {};
    const { consumer, run, started, queue } = await running(
      async () => {
        await sleep(10);
        stopping.consumer?.stop();
      },
      { concurrency: 2 },
      { bodies: numbers(20) },
    );
    stopping.consumer = consumer;
    await clock.tickAsync(1);
    const calls = queue.callsOf('receive').length;
    await clock.tickAsync(10_000);
    await run;
    expect(started).to.have.length(2);
    expect(queue.callsOf('receive')).to.have.length(calls);
  });

  it('deletes a handled message that arrives again because its delete was lost', async () => {
    const { consumer, run, started, queue } = await running(
      () => {},
      { visibilityTimeout: 2 },
      { bodies: ['a'] },
    );
    queue.faults.delete.push({ entries: () => refused('ReceiptHandleIsInvalid', false) });
    await clock.tickAsync(1_500);
    consumer.stop();
    await clock.tickAsync(5_000);
    expect(await run).to.include({ held: 1, confirmed: 1, returned: 0, mayRunAgain: 0 });
    expect(started).to.deep.equal(['a']);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('takes two seconds on an empty queue, not the twenty seconds of a poll', async () => {
    for (const ranFor of [0, 1_000]) {
      const { consumer, run } = await running(() => {});
      await clock.tickAsync(ranFor);
      const stoppedAt = Date.now();
      const ended = run.then(() => Date.now());
      consumer.stop();
      consumer.stop();
      await clock.tickAsync(20_000);
      expect((await ended) - stoppedAt, `after ${ranFor} ms`).to.be.within(1_900, 2_100);
    }
  });

  it('aborts the signal when the drain timeout is over, and returns the message', async () => {
    let reason: unknown;
    const { consumer, run, queue } = await running(
      async () => {
        const { signal } = currentMessage();
        await new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason);
          });
        });
      },
      { drainTimeout: 10 },
      { bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(9_900);
    expect(reason).to.equal(undefined);
    await clock.tickAsync(1_000);
    const report = await run;
    expect(reason)
      .to.be.instanceOf(DrainTimeoutError)
      .with.property('message', 'The worker did not finish within the drain timeout of 10 s.');
    expect(report.unfinished).to.equal(0);
    expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
  });

  it('aborts the signals of all workers at the same time after the stop, however long a poll takes', async () => {
    const aborted: string[] = [];
    const { consumer, run } = await running(
      async ({ body }) => {
        const { signal } = currentMessage();
        signal.addEventListener('abort', () => aborted.push(`${body} ${performance.now()}`));
        await sleep(600_000);
      },
      { concurrency: 3, drainTimeout: 10, visibilityTimeout: 600 },
      { bodies: ['a', 'b'] },
    );
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(30_000);
    expect(aborted).to.deep.equal(['a 11000', 'b 11000']);
    expect((await run).unfinished).to.equal(2);
  });

  it('deletes the message of a worker that finishes after its signal aborted', async () => {
    const { consumer, run, queue } = await running(
      () => sleep(12_000),
      { drainTimeout: 10 },
      { bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(20_000);
    const report = await run;
    expect([report.finished, report.mayRunAgain]).to.deep.equal([1, 0]);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('ends even if a worker never does, returns its message, and reports it', async () => {
    const { consumer, run, queue } = await running(
      () => new Promise(() => {}),
      { drainTimeout: 1 },
      { bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(10_000);
    const report = await run;
    expect([report.unfinished, report.mayRunAgain]).to.deep.equal([1, 1]);
    expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
  });

  it('retries failed deletes during the drain, and reports those that it gave up', async () => {
    const { consumer, run, queue } = await running(() => {}, {}, { bodies: ['a'] });
    await settled();
    queue.faults.delete.push(unreachable);
    consumer.stop();
    await clock.tickAsync(5_000);
    expect((await run).mayRunAgain).to.equal(0);
    expect((await queue.counts()).inFlight).to.equal(0);

    const second = await running(() => {}, {}, { bodies: ['b'] });
    await settled();
    second.queue.always.delete = unreachable;
    second.consumer.stop();
    await clock.tickAsync(20_000);
    expect((await second.run).mayRunAgain).to.equal(1);
  });

  it('retries deletes that fail at the very end for ten seconds', async () => {
    for (const [faults, milliseconds, mayRunAgain] of [
      [[unreachable, unreachable], 2_000, 0],
      [Array(60).fill(unreachable), 11_000, 1],
      [[unreachable, { milliseconds: 3_600_000 }], 11_000, 1],
    ] as const) {
      const { consumer, run, queue } = await running(() => {}, {}, { bodies: ['a'] });
      queue.abortsReceives = true;
      await settled();
      queue.ail({ delete: faults });
      consumer.stop();
      let ended = false;
      void run.then(() => {
        ended = true;
      });
      await clock.tickAsync(milliseconds);
      expect(ended, `after ${milliseconds} ms`).to.equal(true);
      expect(await run).to.include({ held: 1, confirmed: 1 - mayRunAgain, mayRunAgain });
    }
  });

  it('reports only on the messages held when it started, not on earlier ones', async () => {
    const { consumer, run, queue } = await running(
      ({ body }) => sleep({ a: 1, b: 1, finishes: 5_000, endless: 3_600_000 }[body] ?? 0),
      { concurrency: 4, drainTimeout: 10, visibilityTimeout: 600 },
      { bodies: ['a', 'b', 'finishes', 'endless'] },
    );
    queue.faults.delete.push({
      entries: (_, index) => (index === 0 ? refused('ReceiptHandleIsInvalid', false) : undefined),
    });
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(60_000);
    const { held, finished, returned, confirmed, mayRunAgain, unfinished } = await run;
    expect([held, finished, returned, confirmed]).to.deep.equal([2, 1, 0, 1]);
    expect([mayRunAgain, unfinished]).to.deep.equal([1, 1]);
  });

  it('deletes a handled message even if afterMessage never ends, and reports the unfinished worker', async () => {
    const queue = await faultyQueue('work', ['a']);
    const worker = { handleMessage: () => {}, afterMessage: () => new Promise<void>(() => {}) };
    const consumer = await openConsumer([{ queue, weight: 1 }], worker, { drainTimeout: 1 });
    const run = consumer.run();
    await clock.tickAsync(1_000);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    expect(consumer.held).to.equal(1);
    consumer.stop();
    await clock.tickAsync(20_000);
    expect(await run).to.include({ held: 1, finished: 0, unfinished: 1, returned: 0, mayRunAgain: 0 });
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('counts a worker that has lost its lease among the messages held', async () => {
    const { consumer, run, queue } = await running(() => sleep(60_000), {}, { bodies: ['a'] });
    queue.always.changeVisibility = { entries: () => refused('ReceiptHandleIsInvalid', false) };
    await clock.tickAsync(31_000);
    consumer.stop();
    await clock.tickAsync(60_000);
    expect(await run).to.include({ held: 1, finished: 1, mayRunAgain: 1 });
  });

  it('does not count a message waiting for its delete before the start as unfinished', async () => {
    const { consumer, run, queue } = await running(() => {}, { deleteOnStart: true, drainTimeout: 1 });
    queue.always.delete = { milliseconds: 3_600_000 };
    await queue.send([{ body: 'a' }]);
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(60_000);
    expect(await run).to.include({ unfinished: 0, mayRunAgain: 0 });
  });

  it('counts messages whose deletes get no response as ones that may run again, and holds nothing', async () => {
    const { consumer, run, queue } = await running(() => {}, {}, { bodies: numbers(3) });
    queue.always.delete = { milliseconds: 3_600_000 };
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(20_000);
    expect(await run).to.deep.include({ held: 3, confirmed: 0, mayRunAgain: 3 });
    expect(consumer.held).to.equal(0);
  });

  it('deletes all handled messages, whenever the stop comes', async () => {
    for (let moment = 0; moment < 120; moment += 1) {
      const { consumer, run, started, queue } = await running(() => sleep(7), {}, { bodies: numbers(12) });
      queue.always.receive = { milliseconds: 3 };
      queue.always.delete = { milliseconds: 4 };
      await clock.tickAsync(moment);
      consumer.stop();
      await clock.tickAsync(5_000);
      const report = await run;
      expect(report.mayRunAgain, `at ${moment} ms`).to.equal(0);
      expect(await queue.counts(), `at ${moment} ms`).to.deep.equal({
        visible: 12 - started.length,
        inFlight: 0,
        delayed: 0,
      });
    }
  });

  it('can come before anything else', async () => {
    const { consumer, run, started, queue } = await running(() => {}, {}, { bodies: ['a'] });
    consumer.stop();
    await clock.tickAsync(5_000);
    await run;
    expect(await queue.counts()).to.deep.equal({ visible: 1 - started.length, inFlight: 0, delayed: 0 });
  });
});
