import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';

describe("a receive from memory that waits longer than Node's longest timer", () => {
  let clock: SinonFakeTimers;
  beforeEach(() => {
    clock = useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('gets the message when it becomes visible, and rarely checks the queue before', async () => {
    const broker = new (class extends MemoryBroker {
      override readonly maxDelaySeconds = 60 * 86_400;
    })();
    const queue = await broker.open('later');
    await queue.send([{ body: 'x', delaySeconds: 60 * 86_400 }]);
    let came = 0;
    // A single wait cannot be that long: wait several times in a row.
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
