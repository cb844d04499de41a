import { expect } from 'chai';
import sinon from 'sinon';
import { Limiter } from '../../src/tasks/limiter.ts';
import { rejection } from '../support/rejection.ts';

describe('the limits of a task', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers({ toNotFake: ['nextTick', 'queueMicrotask'] });
  });
  afterEach(() => clock.restore());

  const wanted = () => new AbortController().signal;

  /** Starts calls that take this many milliseconds; the returned array fills with their start times. */
  function call(limiter: Limiter, count: number, milliseconds: number): number[] {
    const starts: number[] = [];
    for (let index = 0; index < count; index += 1) {
      void limiter.run(async () => {
        starts.push(Date.now());
        await new Promise((resolve) => setTimeout(resolve, milliseconds));
      }, wanted);
    }
    return starts;
  }

  it('let everything run at once if there are none', async () => {
    const starts = call(new Limiter({}), 5, 100);
    await clock.tickAsync(0);
    expect(starts).to.deep.equal([0, 0, 0, 0, 0]);
  });

  it('hold back calls beyond the concurrency, in order', async () => {
    const starts = call(new Limiter({ concurrency: 2 }), 5, 100);
    await clock.tickAsync(1_000);
    expect(starts).to.deep.equal([0, 0, 100, 100, 200]);
  });

  it('do not let more calls start than the rate allows', async () => {
    const starts = call(new Limiter({ rate: { count: 2, seconds: 1 } }), 5, 10);
    await clock.tickAsync(5_000);
    expect(starts).to.deep.equal([0, 0, 1000, 1000, 2000]);
  });

  it('work together', async () => {
    const starts = call(new Limiter({ concurrency: 1, rate: { count: 2, seconds: 1 } }), 4, 300);
    await clock.tickAsync(5_000);
    expect(starts).to.deep.equal([0, 300, 1000, 1300]);
  });

  it('free the slot of a failed call', async () => {
    const limiter = new Limiter({ concurrency: 1 });
    const failing = limiter.run(() => Promise.reject(new Error('no')), wanted);
    await Promise.allSettled([failing]);
    expect(call(limiter, 1, 1)).to.deep.equal([0]);
  });

  it('remove a call that is no longer wanted from the line, and never run it', async () => {
    const limiter = new Limiter({ concurrency: 1 });
    call(limiter, 1, 100);
    const unwanted = new AbortController();
    const work = sinon.spy();
    const waiting = Promise.resolve(limiter.run(work, () => unwanted.signal));
    const behind = call(limiter, 1, 100);
    unwanted.abort(new Error('out of time'));
    expect(await rejection(waiting)).to.have.property('message', 'out of time');
    await clock.tickAsync(1_000);
    expect(work.callCount).to.equal(0);
    expect(behind).to.deep.equal([100]);
  });

  it('leave no timer behind', async () => {
    call(new Limiter({ rate: { count: 1, seconds: 1 } }), 3, 1);
    await clock.tickAsync(10_000);
    expect(clock.countTimers()).to.equal(0);
  });
});
