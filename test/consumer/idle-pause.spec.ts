import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { nextIdlePause } from '../../src/consumer/pauses.ts';
import { sleep } from '../support/faulty-queue.ts';
import { bodiesOf, running, settled } from './running.ts';

describe('idle_pause', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  const pausesBetween = (calls: readonly { at: number }[], pollMs: number) =>
    calls.slice(1).map(({ at }, index) => Math.round(at - calls[index]!.at - pollMs));

  it('grows by a factor of 1.15 from a tenth of a second to its maximum', () => {
    const pauses = [0];
    while (pauses.length < 60) pauses.push(nextIdlePause(pauses.at(-1)!, 60_000));
    expect(pauses.slice(1, 4).map(Math.round)).to.deep.equal([100, 115, 132]);
    expect(pauses.indexOf(60_000)).to.equal(47);
    expect(pauses.at(-1)).to.equal(60_000);
  });

  it('follows each empty poll, and starts small again after a message', async () => {
    const { queue, send, started } = await running(() => {}, { idlePause: 1 });
    await clock.tickAsync(1_000_000);
    const pauses = pausesBetween(queue.callsOf('receive'), 20_000);
    expect(pauses.slice(0, 3)).to.deep.equal([100, 114, 132]);
    expect(pauses.at(-1)).to.equal(1_000);

    await send('a');
    await clock.tickAsync(20_000);
    expect(started).to.deep.equal(['a']);
    const before = queue.callsOf('receive').length;
    await clock.tickAsync(100_000);
    const later = pausesBetween(queue.callsOf('receive').slice(before - 1), 20_000);
    expect(later.slice(0, 2)).to.deep.equal([100, 114]);
  });

  it('is 0 by default, and while there are messages', async () => {
    const { queue } = await running(() => {});
    await clock.tickAsync(200_000);
    expect(new Set(pausesBetween(queue.callsOf('receive'), 20_000))).to.deep.equal(new Set([0]));

    const busy = await running(
      () => sleep(5),
      { idlePause: 60, concurrency: 4 },
      { bodies: bodiesOf('a', 2_000) },
    );
    await clock.tickAsync(3_000);
    expect(busy.started).to.have.length(2_000);
  });

  it('ends immediately on wake(), so that a message does not have to wait', async () => {
    const { queue, consumer, send, started } = await running(() => {}, { idlePause: 60 });
    while (nextPause(queue.callsOf('receive')) < 50_000) await clock.tickAsync(80_000);
    await clock.tickAsync(25_000);
    await send('a');
    await settled();
    expect(started).to.deep.equal([]);
    consumer.wake();
    await settled();
    expect(started).to.deep.equal(['a']);
  });

  it('does not start when the short polls of a burst return empty', async () => {
    const { queue, send, started } = await running(
      () => sleep(1),
      { idlePause: 60, concurrency: 10 },
      { bodies: bodiesOf('a', 300) },
    );
    await clock.tickAsync(5_000);
    expect(started).to.have.length(300);
    // One long poll is left, so a message does not have to wait for a pause.
    const calls = queue.callsOf('receive').length;
    await send('b');
    await settled();
    expect(started).to.have.length(301);
    expect(queue.callsOf('receive').length).to.be.within(calls, calls + 3);
  });

  it('is replaced by the pauses after failures', async () => {
    const { queue } = await running(() => {}, { idlePause: 1 });
    await clock.tickAsync(20_050);
    queue.always.receive = { error: new BrokerError('unreachable', 'down') };
    const before = queue.callsOf('receive').length;
    await clock.tickAsync(60_000);
    expect(queue.callsOf('receive').length - before).to.be.within(5, 30);
  });

  const hourly = { 0: [180, 180], 1: [172, 171], 10: [129, 120], 60: [75, 45] };
  for (const [seconds, [first, later]] of Object.entries(hourly)) {
    it(`of ${seconds} s costs the calls per hour that docs/polling.md states`, async () => {
      const { queue } = await running(() => {}, { idlePause: Number(seconds) });
      await clock.tickAsync(3_600_000);
      expect(queue.calls.length, 'the first hour').to.be.within(first! - 1, first! + 1);
      await clock.tickAsync(7_200_000);
      const before = queue.calls.length;
      await clock.tickAsync(3_600_000);
      expect(queue.calls.length - before, 'a later hour').to.be.within(later! - 1, later! + 1);
    });
  }
});

/** The pause before the last receive, in milliseconds. */
function nextPause(calls: readonly { at: number }[]): number {
  const [before, last] = calls.slice(-2);
  return before && last ? last.at - before.at - 20_000 : 0;
}
