import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';

describe('a receive from memory that waits for longer than a timer of Node can', () => {
  let clock: SinonFakeTimers;
  beforeEach(() => {
    clock = useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('gets the message when its time has come, and looks at the queue only now and then', async () => {
    const broker = new (class extends MemoryBroker {
      override readonly maxDelaySeconds = 60 * 86_400;
    })();
    const queue = await broker.open('later');
    await queue.send([{ body: 'x', delaySeconds: 60 * 86_400 }]);
    let came = 0;
    // The wait itself cannot be that long: one after the other.
    const receiving = (async () => {
      while (came === 0) came = (await queue.receive({ max: 1, waitSeconds: 20 * 86_400 })).length;
    })();
    await clock.tickAsync(59 * 86_400 * 1000);
    expect(came).to.equal(0);
    await clock.tickAsync(2 * 86_400 * 1000);
    await receiving;
    expect(came).to.equal(1);
    await broker.close();
    expect(clock.countTimers(), 'timers left').to.equal(0);
  });
});
