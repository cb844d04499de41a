import { expect } from 'chai';
import sinon from 'sinon';
import { DrainTimeoutError, HandlerTimeoutError } from '../../src/consumer/held-message.ts';
import { currentMessage } from '../../src/worker/current-message.ts';
import { TransientError } from '../../src/worker/errors.ts';
import { sleep } from '../support/faulty-queue.ts';
import { bodiesIn, bodiesOf, faultyQueue, running } from './running.ts';

/** A worker that ends when its signal aborts, like `fetch` and timers/promises. */
async function obedient(): Promise<void> {
  const { signal } = currentMessage();
  await new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

describe('the time limit of a worker', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('aborts its signal, and the message has failed', async () => {
    const failed = sinon.spy();
    const { queue } = await running(obedient, { handlerTimeout: 5 }, { bodies: ['a'], observer: { failed } });
    await clock.tickAsync(4_999);
    expect(failed.callCount).to.equal(0);
    await clock.tickAsync(1_000);
    const [, error, outcome, milliseconds] = failed.args[0]!;
    expect(error).to.be.instanceOf(HandlerTimeoutError);
    expect(error.message).to.equal('The worker took longer than the handler timeout of 5 s.');
    expect([outcome, milliseconds]).to.deep.equal([{ action: 'delete' }, 5_000]);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  for (const [how, after] of [
    ['still returns', () => {}],
    [
      'throws a different error',
      () => {
        throw new TransientError('busy');
      },
    ],
  ] as const) {
    it(`counts when the worker ${how}`, async () => {
      const [failed, handled] = [sinon.spy(), sinon.spy()];
      const { started } = await running(
        async () => {
          await sleep(8_000);
          after();
        },
        { handlerTimeout: 5, onError: 'retry', backoff: () => 100 },
        { bodies: ['a'], observer: { failed, handled } },
      );
      await clock.tickAsync(100_000);
      expect(started).to.deep.equal(['a']);
      expect([failed.callCount, handled.callCount]).to.deep.equal([1, 0]);
      expect(failed.args[0]![1]).to.be.instanceOf(HandlerTimeoutError);
    });
  }

  it('keeps the slot and the message until the worker has ended: two copies never run at once', async () => {
    let atOnce = 0;
    let most = 0;
    const { started, queue } = await running(
      async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await sleep(14_000);
        atOnce -= 1;
      },
      { handlerTimeout: 5, onError: 'retry', visibilityTimeout: 2, concurrency: 2 },
      { bodies: bodiesOf('a', 4) },
    );
    await clock.tickAsync(13_000);
    expect(started).to.deep.equal(['a0', 'a1']);
    expect((await queue.counts()).inFlight).to.be.at.least(2);
    await clock.tickAsync(30_000);
    expect(started.slice(0, 4)).to.deep.equal(['a0', 'a1', 'a2', 'a3']);
    expect(most).to.equal(2);
  });

  for (const [onError, left, buried] of [
    ['retry', ['a'], []],
    ['delete', [], []],
    ['dead_letter', [], ['a']],
  ] as const) {
    it(`starts a drain if the worker never ends, and its message is settled by on_error = ${onError}`, async () => {
      const observer = { stuck: sinon.spy(), failed: sinon.spy() };
      const deadLetterQueue = await faultyQueue('failed');
      const { run, queue } = await running(
        () => new Promise(() => {}),
        { handlerTimeout: 5, drainTimeout: 20, onError, deadLetterQueue },
        { bodies: ['a', 'b'], observer },
      );
      await clock.tickAsync(14_000);
      expect(observer.stuck.callCount).to.equal(0);
      await clock.tickAsync(1_100);
      expect(observer.stuck.args.map(([{ message }, seconds]) => [message.body, seconds])).to.deep.equal([
        ['a', 10],
      ]);
      await clock.tickAsync(24_000);
      expect((await queue.counts()).inFlight).to.equal(1);
      await clock.tickAsync(5_000);
      const report = await run;
      expect([report.unfinished, report.mayRunAgain]).to.deep.equal([1, onError === 'retry' ? 1 : 0]);
      expect(observer.failed.callCount).to.equal(1);
      await clock.tickAsync(60_000);
      expect(await bodiesIn(queue)).to.have.members([...left, 'b']);
      expect(await bodiesIn(deadLetterQueue)).to.deep.equal(buried);
    });
  }

  it('does not count a worker interrupted by the drain as failed', async () => {
    const { consumer, run, queue } = await running(
      obedient,
      { handlerTimeout: 60, drainTimeout: 2 },
      {
        bodies: ['a'],
        observer: {
          failed: (_, error, outcome) => {
            expect(error).to.be.instanceOf(DrainTimeoutError);
            expect(outcome).to.deep.equal({ action: 'retry', delaySeconds: 0 });
          },
        },
      },
    );
    await clock.tickAsync(1_000);
    consumer.stop();
    await clock.tickAsync(5_000);
    await run;
    expect((await queue.counts()).visible).to.equal(1);
  });

  it('leaves no timer behind', async () => {
    const { consumer, run } = await running(
      () => sleep(1_000),
      { handlerTimeout: 3_600 },
      { bodies: bodiesOf('a', 5) },
    );
    await clock.tickAsync(10_000);
    consumer.stop();
    await clock.tickAsync(5_000);
    await run;
    expect(clock.countTimers()).to.equal(0);
  });
});
