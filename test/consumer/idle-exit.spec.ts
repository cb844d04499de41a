import { expect } from 'chai';
import sinon from 'sinon';
import { IdleExit } from '../../src/consumer/idle-exit.ts';

describe('the end of an idle run', () => {
  let clock: sinon.SinonFakeTimers;
  let onIdle: sinon.SinonSpy;
  let isBusy: boolean;

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onIdle = sinon.spy();
    isBusy = false;
  });
  afterEach(() => sinon.restore());

  function start(seconds: number | undefined): IdleExit {
    const idle = new IdleExit({ seconds, isBusy: () => isBusy, onIdle });
    idle.start();
    return idle;
  }

  it('comes after so long without a message, and counts anew from each', async () => {
    const idle = start(10);
    await clock.tickAsync(9_000);
    idle.active();
    await clock.tickAsync(9_999);
    expect(onIdle.callCount).to.equal(0);
    await clock.tickAsync(1);
    expect(onIdle.callCount).to.equal(1);
    await clock.tickAsync(60_000);
    expect(onIdle.callCount).to.equal(1);
  });

  it('waits for what is being done, however long it takes', async () => {
    start(10);
    isBusy = true;
    await clock.tickAsync(60_000);
    isBusy = false;
    await clock.tickAsync(9_999);
    expect(onIdle.callCount).to.equal(0);
    await clock.tickAsync(10_001);
    expect(onIdle.callCount).to.equal(1);
  });

  it('does not come when it is off or over', async () => {
    start(undefined);
    start(10).stop();
    await clock.tickAsync(60_000);
    expect(onIdle.callCount).to.equal(0);
  });

  it('never sets a timer to a time that has passed since it looked', async () => {
    const timers = sinon.spy(globalThis, 'setTimeout');
    const idle = start(10);
    await clock.tickAsync(5_000);
    idle.active();
    // Time passes while it looks, too.
    const times = [14_999.9, 15_000.1];
    performance.now = () => times.shift()!;
    await clock.tickAsync(5_000);
    for (const [, milliseconds] of timers.args) expect(milliseconds).to.be.above(0);
  });
});
