import { expect } from 'chai';
import { type SinonFakeTimers, type SinonSpy, spy, useFakeTimers } from 'sinon';
import { PendingPolls } from '../../src/brokers/pending-polls.ts';

describe('pending long polls', () => {
  let clock: SinonFakeTimers;
  let stopWatching: SinonSpy;
  let watch: SinonSpy<[changed: () => void], () => void>;
  let polls: PendingPolls;

  beforeEach(() => {
    clock = useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    stopWatching = spy();
    watch = spy((_changed: () => void) => stopWatching as () => void);
    polls = new PendingPolls(watch);
  });

  afterEach(() => {
    const timersLeft = clock.countTimers();
    clock.restore();
    expect(timersLeft, 'timers left').to.equal(0);
  });

  /** When the wait resolved, in milliseconds. */
  function wait(queue: string, milliseconds = 1_000, signal?: AbortSignal): Promise<number> {
    return polls.wait(queue, { wakeUps: polls.wakeUps, milliseconds, signal }).then(() => Date.now());
  }

  it('are woken immediately for their queue, but not for other queues', async () => {
    const waits = Promise.all([wait('a'), wait('b')]);
    await clock.tickAsync(10);
    polls.wake('a');
    await clock.tickAsync(1_000);
    expect(await waits).to.deep.equal([10, 1_000]);
  });

  it('do not wait if they were woken between checking the queue and waiting', async () => {
    const { wakeUps } = polls;
    polls.wake('a');
    const waiting = polls.wait('a', { wakeUps, milliseconds: 1_000 }).then(() => Date.now());
    expect(await waiting).to.equal(0);
  });

  it('watch other processes only while a poll is waiting', async () => {
    expect(watch.callCount).to.equal(0);
    const waits = Promise.all([wait('a'), wait('b', 2_000)]);
    expect(watch.callCount).to.equal(1);
    await clock.tickAsync(1_000);
    expect(stopWatching.callCount).to.equal(0);
    await clock.tickAsync(1_000);
    expect(await waits).to.deep.equal([1_000, 2_000]);
    expect(stopWatching.callCount).to.equal(1);
  });

  it('are all woken by a change in another process that does not name a queue', async () => {
    const waits = Promise.all([wait('a'), wait('b')]);
    await clock.tickAsync(10);
    watch.firstCall.firstArg();
    expect(await waits).to.deep.equal([10, 10]);
    expect(stopWatching.callCount).to.equal(1);
  });

  it('resolve when the signal is aborted', async () => {
    const ending = new AbortController();
    const waiting = wait('a', 1_000, ending.signal);
    await clock.tickAsync(10);
    ending.abort();
    expect(await waiting).to.equal(10);
    expect(await wait('a', 1_000, ending.signal)).to.equal(10);
  });

  it('are woken on close, and no longer wait afterwards', async () => {
    const waiting = wait('a');
    polls.close();
    expect(await waiting).to.equal(0);
    expect(await wait('a')).to.equal(0);
    expect(polls.isClosed).to.equal(true);
  });

  it('can wait longer than the longest timer', async () => {
    const waiting = wait('a', Number.POSITIVE_INFINITY);
    await clock.tickAsync(60_000);
    polls.wake('a');
    expect(await waiting).to.equal(60_000);
  });
});
