import { expect } from 'chai';
import sinon from 'sinon';
import { currentMessage } from '../../src/worker/current-message.ts';
import { running, runningOnSeveral, settled } from './running.ts';

function untilToldToStop(): Promise<never> {
  const { signal } = currentMessage();
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

describe('a message limit that is shared with other processes', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('handles as many messages as are allowed, and continues when more are', async () => {
    const { consumer, queue, run, started } = await running(
      () => {},
      { sharesMessageLimit: true, concurrency: 3 },
      { bodies: ['a', 'b', 'c', 'd', 'e'] },
    );
    await clock.tickAsync(100_000);
    expect(started).to.deep.equal([]);
    expect(await queue.counts()).to.deep.include({ visible: 5, inFlight: 0 });
    consumer.allow(2);
    await clock.tickAsync(100_000);
    expect(started).to.deep.equal(['a', 'b']);
    consumer.allow(1);
    await clock.tickAsync(100_000);
    expect(started).to.deep.equal(['a', 'b', 'c']);
    expect(await queue.counts()).to.deep.include({ visible: 2, inFlight: 0 });
    consumer.stop();
    await clock.tickAsync(10_000);
    await run;
    expect(consumer.idle).to.equal(false);
  });

  it('reports each finished message, but not those returned to the queue', async () => {
    const done = sinon.spy();
    const { consumer, run, started } = await running(
      async ({ body }) => {
        if (body === 'bad') throw new Error(body);
        if (body === 'slow') await untilToldToStop();
      },
      { sharesMessageLimit: true, drainTimeout: 1 },
      { bodies: ['good', 'bad', 'slow'], observer: { done } },
    );
    consumer.allow(3);
    await clock.tickAsync(1_000);
    expect(started).to.deep.equal(['good', 'bad', 'slow']);
    expect(done.callCount).to.equal(2);
    consumer.stop();
    await clock.tickAsync(100_000);
    await run;
    expect(done.callCount).to.equal(2);
  });

  it('reports whether it ended because no message arrived', async () => {
    const { consumer, run } = await running(() => {}, { sharesMessageLimit: true, idleExit: 5 });
    await clock.tickAsync(10_000);
    await run;
    expect(consumer.idle).to.equal(true);
  });

  it('also reports messages that will be retried', async () => {
    const done = sinon.spy();
    await running(
      () => {
        throw new Error('no such user');
      },
      { sharesMessageLimit: true, onError: 'retry', backoff: () => 600 },
      { bodies: ['a'], observer: { done } },
    ).then(({ consumer }) => consumer.allow(1));
    await clock.tickAsync(1_000);
    expect(done.callCount).to.equal(1);
  });

  it('lets messages that are already held start when more are allowed', async () => {
    const { consumer, started, queues } = await runningOnSeveral(
      [
        { name: 'first', bodies: ['f'], receiveMs: 10 },
        { name: 'second', bodies: ['s'], receiveMs: 10 },
      ],
      () => {},
      { sharesMessageLimit: true, concurrency: 2 },
    );
    // Both receives are in progress for the one allowed message.
    consumer.allow(1);
    await clock.tickAsync(1_000);
    expect([started, consumer.held]).to.deep.equal([['f'], 1]);
    for (const queue of queues) queue.always.receive = { milliseconds: 3_600_000 };
    consumer.allow(1);
    await settled();
    expect(started).to.deep.equal(['f', 's']);
  });
});
