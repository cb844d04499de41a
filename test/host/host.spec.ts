import { expect } from 'chai';
import sinon from 'sinon';
import { realMachine, resolvesWithin, untilAborted } from '../../src/host/host.ts';

describe('this machine', () => {
  afterEach(() => sinon.restore());

  it('uses the clock and timers of the process, even if a spec fakes them later', async () => {
    const clock = sinon.useFakeTimers({ now: 1_000 });
    const called = sinon.spy();
    realMachine.setTimeout(called, 500);
    realMachine.clearTimeout(realMachine.setTimeout(called, 500));
    const interval = realMachine.setInterval(called, 400);
    await clock.tickAsync(500);
    realMachine.clearInterval(interval);
    await clock.tickAsync(10_000);
    expect(called.callCount).to.equal(2);
    expect([realMachine.wallClock(), realMachine.now()]).to.deep.equal([11_500, 10_500]);
  });

  it('waits for pending I/O, but not under a fake clock', async () => {
    const order: string[] = [];
    const turn = new Promise<void>((resolve) => {
      realMachine.nextTurn(() => {
        order.push('turn');
        resolve();
      });
    });
    await Promise.resolve().then(() => order.push('promise'));
    await turn;
    expect(order).to.deep.equal(['promise', 'turn']);
    sinon.useFakeTimers();
    await new Promise<void>((resolve) => realMachine.nextTurn(resolve));
  });

  it('makes a new UUID each time', () => {
    const ids = [realMachine.uuid(), realMachine.uuid()];
    for (const id of ids)
      expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(ids).size).to.equal(2);
  });

  it('tells whether a promise resolves in time, and leaves no timer behind', async () => {
    const clock = sinon.useFakeTimers();
    const late = resolvesWithin(realMachine, new Promise(() => {}), 100);
    await clock.tickAsync(100);
    expect([await late, await resolvesWithin(realMachine, Promise.resolve(), 100)]).to.deep.equal([
      false,
      true,
    ]);
    expect(clock.countTimers()).to.equal(0);
  });

  it('waits for a signal to abort, and returns immediately if it already has', async () => {
    const controller = new AbortController();
    const aborted = sinon.spy();
    void untilAborted(controller.signal).then(aborted);
    await Promise.resolve();
    expect(aborted.callCount).to.equal(0);
    controller.abort();
    await untilAborted(controller.signal);
    expect(aborted.callCount).to.equal(1);
  });
});
