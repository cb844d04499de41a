import { expect } from 'chai';
import sinon from 'sinon';
import { Attempts, type AttemptsOptions } from '../../src/consumer/attempts.ts';
import type { Delivery } from '../../src/consumer/delivery.ts';
import { Leases } from '../../src/consumer/leases.ts';
import { HandlerTimeoutError } from '../../src/consumer/time-limit.ts';
import { TransientError } from '../../src/worker/errors.ts';
import { handled, released } from '../../src/worker/outcome.ts';
import type { Worker } from '../../src/worker/worker.ts';
import { sleep } from '../support/faulty-queue.ts';
import { hold } from './held.ts';
import { faultyQueue } from './running.ts';

describe('an attempt at a message', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
    clock.tick(5_000);
  });
  afterEach(() => clock.restore());

  const observer = () => ({ handled: sinon.spy(), failed: sinon.spy(), afterMessageFailed: sinon.spy() });
  const failing = async () => {
    await sleep(250);
    throw new Error('no such user');
  };

  /** A message that runs, and what tries it. */
  async function attempt(worker: Worker, options: Partial<AttemptsOptions> = {}) {
    const queue = await faultyQueue('work', ['a']);
    const [delivery] = (await hold(queue, new Leases(queue, 30, {}), 30)) as [Delivery];
    const defaults = { onError: 'retry', canBury: false, observer: {}, onStuck: () => {} } as const;
    return { delivery, attempts: new Attempts(worker, { ...defaults, ...options }) };
  }

  it('is told of with its time, whether it worked or not', async () => {
    const told = observer();
    const worked = await attempt({ handleMessage: () => sleep(100) }, { observer: told });
    const running = worked.attempts.run(worked.delivery);
    await clock.tickAsync(100);
    expect(await running).to.equal(handled);
    expect(told.handled.args).to.deep.equal([[worked.delivery, 100]]);

    const failed = await attempt({ handleMessage: failing }, { observer: told });
    const alsoRunning = failed.attempts.run(failed.delivery);
    await clock.tickAsync(250);
    expect(await alsoRunning).to.deep.equal({ action: 'retry' });
    expect(told.failed.args[0]![3]).to.equal(250);
  });

  it('ends with afterMessage, whose failure changes no outcome', async () => {
    const told = observer();
    const error = new Error('not closed');
    const afterMessage = sinon.stub().onFirstCall().resolves().onSecondCall().rejects(error);
    const { attempts, delivery } = await attempt(
      { handleMessage: async () => {}, afterMessage },
      { observer: told },
    );
    expect([await attempts.run(delivery), await attempts.run(delivery)]).to.deep.equal([handled, handled]);
    expect(afterMessage.callCount).to.equal(2);
    expect(told.afterMessageFailed.args).to.deep.equal([[delivery, error]]);
  });

  it('has no outcome any more once the drain has given up on it, and is told of no more', async () => {
    const told = observer();
    for (const handleMessage of [() => sleep(100), failing]) {
      const { attempts, delivery } = await attempt({ handleMessage }, { observer: told, onError: 'delete' });
      const running = attempts.run(delivery);
      delivery.phase = 'settling';
      await clock.tickAsync(250);
      expect(await running).to.equal(released);
    }
    expect(told.failed.callCount).to.equal(0);
  });

  it('that takes too long may mean what the worker says that it means', async () => {
    const onTimeout = sinon.stub().returns(new TransientError('later', { delay: 7 }));
    const { attempts, delivery } = await attempt(
      { handleMessage: () => sleep(3_000), onTimeout },
      { handlerTimeout: 1, onError: 'delete' },
    );
    const running = attempts.run(delivery);
    await clock.tickAsync(3_000);
    expect(await running).to.deep.equal({ action: 'retry', delaySeconds: 7 });
    expect(onTimeout.args[0]![0]).to.be.instanceOf(HandlerTimeoutError);
    expect(onTimeout.args[0]![1]).to.equal(delivery.message);
  });

  it('is forgotten by the crash record once it ended, if it was a suspect', async () => {
    for (const [crashes, forgotten] of [
      [0, 0],
      [1, 1],
    ] as const) {
      const crashRecord = {
        ...{ crashes: () => crashes, started: sinon.spy(), ended: sinon.spy(), forget: sinon.spy() },
      };
      const { attempts, delivery } = await attempt({ handleMessage: async () => {} }, { crashRecord });
      Object.assign(delivery, { crashes });
      await attempts.run(delivery);
      const counts = [crashRecord.started, crashRecord.ended, crashRecord.forget].map((spy) => spy.callCount);
      expect(counts).to.deep.equal([1, 1, forgotten]);
    }
  });

  it('needs nobody who listens', async () => {
    const { attempts, delivery } = await attempt(
      { handleMessage: failing, afterMessage: () => Promise.reject(new Error('not closed')) },
      { handlerTimeout: 60 },
    );
    const running = attempts.run(delivery);
    await clock.tickAsync(250);
    expect(await running).to.deep.equal({ action: 'retry' });
  });
});
