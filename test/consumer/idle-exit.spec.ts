import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { Consumer } from '../../src/consumer/consumer.ts';
import { type Host, realHost } from '../../src/host/host.ts';
import { sleep } from '../support/faulty-queue.ts';
import { defaults, faultyQueue, running, sendTo } from './running.ts';

describe('idle_exit', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => sinon.restore());

  it('ends the run after this long without a message, counted again from each message', async () => {
    const { consumer, send, run } = await running(() => {}, { idleExit: 10 });
    await clock.tickAsync(9_000);
    await send('a');
    await clock.tickAsync(9_999);
    expect(consumer.state).to.equal('running');
    await clock.tickAsync(1);
    expect([consumer.state, consumer.idle]).to.deep.equal(['draining', true]);
    await clock.tickAsync(60_000);
    await run;
  });

  it('waits for running workers, however long they take', async () => {
    const { consumer } = await running(() => sleep(60_000), { idleExit: 10 }, { bodies: ['a'] });
    await clock.tickAsync(69_999);
    expect(consumer.state).to.equal('running');
    await clock.tickAsync(10_001);
    expect([consumer.state, consumer.idle]).to.deep.equal(['draining', true]);
  });

  it('does not end the run while receives fail or the consumer is paused', async () => {
    const failing = await running(() => {}, { idleExit: 10, poll: 1 });
    failing.queue.always.receive = { error: new BrokerError('unreachable', 'down') };
    const paused = await running(() => {}, { idleExit: 10 });
    paused.consumer.pause();
    await clock.tickAsync(100_000);
    expect([failing.consumer.state, paused.consumer.state]).to.deep.equal(['running', 'paused']);
  });

  it('does nothing if it is off or the run is already over', async () => {
    const off = await running(() => {});
    const over = await running(() => {}, { idleExit: 10 });
    over.consumer.stop();
    await clock.tickAsync(60_000);
    await over.run;
    expect([off.consumer.state, over.consumer.idle]).to.deep.equal(['running', false]);
  });

  it('never sets a timer to a time that has passed since it looked at the clock', async () => {
    const queue = await faultyQueue('work');
    const looks: number[] = [];
    const delays: number[] = [];
    const real = realHost({ open: async () => queue });
    const host: Host = {
      ...real,
      now: () => looks.shift() ?? real.now(),
      setTimeout(callback, milliseconds) {
        delays.push(milliseconds);
        return real.setTimeout(callback, milliseconds);
      },
    };
    const settings = { ...defaults, queue: [{ name: 'work', weight: 1 }], idleExit: 10 };
    const consumer = await Consumer.open(host, settings, { worker: { handleMessage() {} } });
    const run = consumer.run();
    await clock.tickAsync(5_000);
    await sendTo(queue, ['a']);
    await clock.tickAsync(4_999);
    // The message was handled at 5 s, and time also passes during the check at 10 s.
    looks.push(14_999.9, 15_000.1);
    await clock.tickAsync(5_000);
    await run;
    expect(consumer.idle).to.equal(true);
    for (const milliseconds of delays) expect(milliseconds).to.be.above(0);
  });
});
