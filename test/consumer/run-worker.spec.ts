import { expect } from 'chai';
import sinon from 'sinon';
import { defaultSettings } from '../../src/config/config.ts';
import { HandlerTimeoutError, type HeldMessage } from '../../src/consumer/held-message.ts';
import { afterMessage, type RunOptions, runWorker, unfinished } from '../../src/consumer/run-worker.ts';
import { realMachine } from '../../src/host/host.ts';
import { noBackoff } from '../../src/worker/backoff.ts';
import { silentLog } from '../../src/worker/current-message.ts';
import { TransientError } from '../../src/worker/errors.ts';
import { handled, returned } from '../../src/worker/outcome.ts';
import type { Worker } from '../../src/worker/worker.ts';
import { sleep } from '../support/faulty-queue.ts';
import { heldMessage, leasesOf, receive } from './held.ts';
import { faultyQueue } from './running.ts';

describe('the run of a worker on a message', () => {
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

  type Given = Partial<Pick<RunOptions, 'observer' | 'crashRecord'>> & {
    readonly settings?: Partial<RunOptions['settings']>;
    readonly crashes?: number;
  };

  /** A message that has a slot, and the run of a worker on it. */
  async function runOf(worker: Worker, { settings, crashes = 0, ...given }: Given = {}) {
    const queue = await faultyQueue('work', ['a']);
    const leases = leasesOf(queue);
    const [received] = (await receive(queue, leases, 30)) as [HeldMessage];
    const held = heldMessage('', { message: received.message, crashes, leaseEndsAt: received.leaseEndsAt });
    leases.hold(held);
    const options: RunOptions = {
      ...{ worker, backoff: noBackoff, crashRecord: undefined, observer: {}, logOf: () => silentLog },
      ...{ machine: realMachine, stop: () => {} },
      settings: { ...defaultSettings(), onError: 'retry', ...settings },
      ...given,
    };
    const claimed = { leases, claim: () => true };
    return {
      held,
      run: () => runWorker(held, claimed, options),
      cleanUp: () => afterMessage(held, options),
      unfinished: () => unfinished(held, claimed, options),
    };
  }

  it('is reported with its duration, whether it succeeded or not', async () => {
    const told = observer();
    const worked = await runOf({ handleMessage: () => sleep(100) }, { observer: told });
    const running = worked.run();
    await clock.tickAsync(100);
    expect(await running).to.equal(handled);
    expect(told.handled.args).to.deep.equal([[worked.held, 100]]);

    const failed = await runOf({ handleMessage: failing }, { observer: told });
    const alsoRunning = failed.run();
    await clock.tickAsync(250);
    expect(await alsoRunning).to.deep.equal({ action: 'retry' });
    expect(told.failed.args[0]![3]).to.equal(250);
  });

  it('does not start if the message must not run here', async () => {
    const handleMessage = sinon.spy();
    const { held } = await runOf({ handleMessage });
    const refused = { leases: leasesOf(await faultyQueue('work')), claim: async () => false };
    const options = { worker: { handleMessage } } as const;
    const outcome = await runWorker(held, refused, {
      ...{ ...options, backoff: noBackoff, crashRecord: undefined, observer: {}, logOf: () => silentLog },
      ...{ machine: realMachine, stop: () => {}, settings: defaultSettings() },
    });
    expect([outcome, handleMessage.callCount, held.state]).to.deep.equal([undefined, 0, 'received']);
  });

  it('is followed by afterMessage, whose failure does not change the outcome', async () => {
    const told = observer();
    const error = new Error('not closed');
    const afterMessage = sinon.stub().onFirstCall().resolves().onSecondCall().rejects(error);
    const worker = { handleMessage: async () => {}, afterMessage };
    const [first, second] = [
      await runOf(worker, { observer: told }),
      await runOf(worker, { observer: told }),
    ];
    for (const { run, cleanUp } of [first, second]) {
      expect(await run()).to.equal(handled);
      await cleanUp();
    }
    expect(afterMessage.callCount).to.equal(2);
    expect(told.afterMessageFailed.args).to.deep.equal([[second.held, error]]);
  });

  it('has no outcome once the drain has given up on it, and is not reported', async () => {
    const told = observer();
    for (const handleMessage of [() => sleep(100), failing]) {
      const { held, run, unfinished } = await runOf(
        { handleMessage },
        { observer: told, settings: { onError: 'delete' } },
      );
      const running = run();
      await clock.tickAsync(50);
      expect(unfinished()).to.equal(returned);
      held.settle();
      await clock.tickAsync(200);
      expect(await running).to.equal(undefined);
    }
    expect(told.failed.callCount).to.equal(0);
  });

  it("that takes too long gets its outcome from the worker's onTimeout", async () => {
    const later = new TransientError('later', { delay: 7 });
    for (const onTimeout of [sinon.stub().returns(later), sinon.stub().throws(later)]) {
      const { held, run } = await runOf(
        { handleMessage: () => sleep(3_000), onTimeout },
        { settings: { handlerTimeout: 1, onError: 'delete' } },
      );
      const running = run();
      await clock.tickAsync(3_000);
      expect(await running).to.deep.equal({ action: 'retry', delaySeconds: 7 });
      expect(onTimeout.args[0]![0]).to.be.instanceOf(HandlerTimeoutError);
      expect(onTimeout.args[0]![1]).to.equal(held.message);
    }
  });

  it("clears its message's crashes once everything has ended, if there were any", async () => {
    for (const [crashes, forgotten] of [
      [0, 0],
      [1, 1],
    ] as const) {
      const crashRecord = {
        ...{ crashes: () => crashes, started: sinon.spy(), ended: sinon.spy(), forget: sinon.spy() },
      };
      const { run, cleanUp } = await runOf({ handleMessage: async () => {} }, { crashRecord, crashes });
      await run();
      await cleanUp();
      const counts = [crashRecord.started, crashRecord.ended, crashRecord.forget].map((spy) => spy.callCount);
      expect(counts).to.deep.equal([1, 1, forgotten]);
    }
  });

  it('does not need an observer', async () => {
    const { run, cleanUp } = await runOf(
      { handleMessage: failing, afterMessage: () => Promise.reject(new Error('not closed')) },
      { settings: { handlerTimeout: 60 } },
    );
    const running = run();
    await clock.tickAsync(250);
    expect(await running).to.deep.equal({ action: 'retry' });
    await cleanUp();
  });
});
