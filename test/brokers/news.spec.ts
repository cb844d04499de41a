import { expect } from 'chai';
import { type SinonFakeTimers, type SinonSpy, spy, useFakeTimers } from 'sinon';
import { News } from '../../src/brokers/news.ts';

describe('news for receives that wait', () => {
  let clock: SinonFakeTimers;
  let stopWatching: SinonSpy;
  let watch: SinonSpy<[changed: () => void], () => void>;
  let news: News;

  beforeEach(() => {
    clock = useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    stopWatching = spy();
    watch = spy((_changed: () => void) => stopWatching as () => void);
    news = new News(watch);
  });

  afterEach(() => {
    const timersLeft = clock.countTimers();
    clock.restore();
    expect(timersLeft, 'timers left').to.equal(0);
  });

  /** When the wait ended, in milliseconds. */
  function wait(queue: string, milliseconds = 1_000, signal?: AbortSignal): Promise<number> {
    return news.next(queue, news.count, milliseconds, signal).then(() => Date.now());
  }

  it('come at once for the queue that they are about, and not for others', async () => {
    const waits = Promise.all([wait('a'), wait('b')]);
    await clock.tickAsync(10);
    news.announce('a');
    await clock.tickAsync(1_000);
    expect(await waits).to.deep.equal([10, 1_000]);
  });

  it('are not missed when they come between the look at the queue and the wait', async () => {
    const { count } = news;
    news.announce('a');
    const waiting = news.next('a', count, 1_000).then(() => Date.now());
    expect(await waiting).to.equal(0);
  });

  it('are watched for in the database only while somebody waits', async () => {
    expect(watch.callCount).to.equal(0);
    const waits = Promise.all([wait('a'), wait('b', 2_000)]);
    expect(watch.callCount).to.equal(1);
    await clock.tickAsync(1_000);
    expect(stopWatching.callCount).to.equal(0);
    await clock.tickAsync(1_000);
    expect(await waits).to.deep.equal([1_000, 2_000]);
    expect(stopWatching.callCount).to.equal(1);
  });

  it('of other processes wake all, whatever their queue', async () => {
    const waits = Promise.all([wait('a'), wait('b')]);
    await clock.tickAsync(10);
    watch.firstCall.firstArg();
    expect(await waits).to.deep.equal([10, 10]);
    expect(stopWatching.callCount).to.equal(1);
  });

  it('are not waited for once the signal is aborted', async () => {
    const ending = new AbortController();
    const waiting = wait('a', 1_000, ending.signal);
    await clock.tickAsync(10);
    ending.abort();
    expect(await waiting).to.equal(10);
    expect(await wait('a', 1_000, ending.signal)).to.equal(10);
  });

  it('wake all at the end, and nobody waits after that', async () => {
    const waiting = wait('a');
    news.close();
    expect(await waiting).to.equal(0);
    expect(await wait('a')).to.equal(0);
    expect(news.isClosed).to.equal(true);
  });

  it('may be waited for longer than a timer can run', async () => {
    const waiting = wait('a', Number.POSITIVE_INFINITY);
    await clock.tickAsync(60_000);
    news.announce('a');
    expect(await waiting).to.equal(60_000);
  });
});
