import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { PollingStoppedError } from '../../src/consumer/receiver.ts';
import { refused, sleep } from '../support/faulty-queue.ts';
import { rejection } from '../support/rejection.ts';
import { running, settled } from './running.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));
const unreachable = new BrokerError('unreachable', 'down');

describe('polling', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('sends at most 180 requests per hour while the queue is empty', async () => {
    const { queue } = await running(() => {});
    await clock.tickAsync(3_600_000);
    expect(queue.calls.length).to.be.within(1, 181);
  });

  it('immediately starts a message that arrives during a long poll', async () => {
    const { send, started } = await running(() => {});
    await clock.tickAsync(7_000);
    await send('a');
    await settled();
    expect(started).to.deep.equal(['a']);
  });

  it('handles one message at a time, in the order of the queue', async () => {
    let atOnce = 0;
    let most = 0;
    const bodies = numbers(50);
    const { started } = await running(
      async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await sleep(3);
        atOnce -= 1;
      },
      {},
      { bodies },
    );
    await clock.tickAsync(1_000);
    expect(started).to.deep.equal(bodies);
    expect(most).to.equal(1);
  });

  it('never lets a fast worker wait for the network, with one receive per ten messages', async () => {
    const { queue, started } = await running(() => sleep(5), {}, { bodies: numbers(1_000) });
    queue.always.receive = { milliseconds: 20 };
    await clock.tickAsync(5_250);
    expect(started.length).to.be.greaterThan(950);
    expect(queue.callsOf('receive').length / started.length).to.be.at.most(0.105);
  });

  it('holds next to nothing for a slow worker', async () => {
    const { queue, started } = await running(() => sleep(10_000), {}, { bodies: numbers(20) });
    queue.always.receive = { milliseconds: 20 };
    await clock.tickAsync(95_000);
    expect(started).to.have.length(10);
    expect((await queue.counts()).inFlight).to.equal(1);
  });

  it('backs off during a ten-minute outage, reports it, and recovers by itself', async () => {
    const observer = { receiveFailed: sinon.spy(), receiveRecovered: sinon.spy() };
    const { queue, send, started } = await running(() => {}, {}, { observer });
    queue.always.receive = { error: unreachable };
    await clock.tickAsync(21_000);
    await send('a');
    await clock.tickAsync(60_000);
    expect(observer.receiveFailed.callCount).to.be.within(5, 30);
    await clock.tickAsync(540_000);
    delete queue.always.receive;
    await clock.tickAsync(10_000);
    expect(observer.receiveRecovered.callCount).to.equal(1);
    expect(started).to.deep.equal(['a']);
  });

  it('sends at most 30 requests per minute without a network', async () => {
    const { queue } = await running(() => {});
    queue.always.receive = { error: unreachable };
    await clock.tickAsync(20_000);
    const before = queue.callsOf('receive').length;
    await clock.tickAsync(60_000);
    expect(queue.callsOf('receive').length - before).to.be.within(5, 30);
  });

  it('sends one request at a time after a failure, however many were in progress before', async () => {
    const { queue, started } = await running(
      () => sleep(10),
      { concurrency: 100 },
      { bodies: numbers(2_000) },
    );
    queue.always.receive = { milliseconds: 30 };
    await clock.tickAsync(200);
    expect(started.length).to.be.above(100);
    queue.always.receive = { error: unreachable };
    await clock.tickAsync(1_000);
    const calls = queue.callsOf('receive').length;
    await clock.tickAsync(60_000);
    expect(queue.callsOf('receive').length - calls).to.be.at.most(15);
  });

  it('leaves the messages of a receive whose response was lost until their visibility timeout ends', async () => {
    const { queue, send, started } = await running(() => {});
    queue.faults.receive.push({ error: unreachable, worked: true });
    await clock.tickAsync(20_000);
    await send('a');
    await clock.tickAsync(29_000);
    expect(started).to.deep.equal([]);
    await clock.tickAsync(10_000);
    expect(started).to.deep.equal(['a']);
  });

  it('ends its pause after a failure on wake()', async () => {
    const { queue, consumer, send, started } = await running(() => {});
    queue.always.receive = { error: unreachable };
    await clock.tickAsync(120_000);
    delete queue.always.receive;
    await send('a');
    consumer.wake();
    await settled();
    expect(started).to.deep.equal(['a']);
  });

  it('continues when every listener throws', async () => {
    const broken = () => {
      throw new Error('a broken listener');
    };
    const observer = {
      received: broken,
      receiveFailed: broken,
      receiveRecovered: broken,
      handled: broken,
      afterMessageFailed: broken,
      settled: broken,
      settleFailed: broken,
      extensionFailed: broken,
      leaseLost: broken,
    };
    const { queue, started } = await running(() => sleep(40_000), {}, { observer, bodies: ['a', 'b', 'c'] });
    queue.faults.receive.push({ error: unreachable });
    queue.faults.delete.push({ error: unreachable });
    queue.faults.changeVisibility.push({ error: unreachable });
    await clock.tickAsync(400_000);
    expect(started).to.deep.equal(['a', 'b', 'c']);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('cannot stop silently: a receive that never returns makes the run fail', async () => {
    const { queue, run } = await running(() => {});
    queue.always.receive = { milliseconds: 2 ** 31 - 1 };
    const error = rejection(run);
    await clock.tickAsync(200_000);
    expect(await error).to.be.instanceOf(PollingStoppedError);
  });

  it('drains before the run fails: held messages are handled and settled', async () => {
    const { queue, run } = await running(
      () => sleep(125_000),
      { concurrency: 2, drainTimeout: 60 },
      { bodies: ['a'] },
    );
    queue.faults.receive.push({ milliseconds: 2 ** 31 - 1 });
    const left = run.catch(() => queue.counts());
    await clock.tickAsync(110_000);
    expect(queue.callsOf('delete')).to.deep.equal([]);
    await clock.tickAsync(90_000);
    expect(await left).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('does not mistake an hour of work for a stall', async () => {
    const { started, send } = await running(() => sleep(3_600_000), {}, { bodies: ['a'] });
    await clock.tickAsync(3_601_000);
    await send('b');
    await clock.tickAsync(200_000);
    expect(started).to.deep.equal(['a', 'b']);
  });

  it('ends after the message limit, and receives no others', async () => {
    const { run, started, queue } = await running(() => {}, { messageLimit: 3 }, { bodies: numbers(20) });
    await clock.tickAsync(3_000);
    const report = await run;
    expect(started).to.deep.equal(['0', '1', '2']);
    expect(report.returned).to.equal(0);
    expect(await queue.counts()).to.deep.equal({ visible: 17, inFlight: 0, delayed: 0 });
  });

  for (const [prefetch, slots] of [
    [10, 1],
    [30, 4],
    ['auto', 4],
  ] as const) {
    it(`does not receive more than the limit with ${slots} slots and a prefetch of ${prefetch}`, async () => {
      const received = sinon.spy();
      const { run, started, queue } = await running(
        () => sleep(20),
        { messageLimit: 25, prefetch, concurrency: slots },
        { bodies: numbers(100), observer: { received: (_, messages) => received(messages.length) } },
      );
      queue.always.receive = { milliseconds: 30 };
      await clock.tickAsync(10_000);
      const report = await run;
      expect([started.length, report.returned]).to.deep.equal([25, 0]);
      expect(received.args.flat().reduce((sum, count) => sum + count, 0)).to.equal(25);
      expect(await queue.counts()).to.deep.equal({ visible: 75, inFlight: 0, delayed: 0 });
    });
  }

  it('continues until the last message of the limit is handled, not just started', async () => {
    const { consumer, run, queue } = await running(
      ({ body }) => sleep(body === '0' ? 10 : 10_000),
      { messageLimit: 2, concurrency: 2, drainTimeout: 1 },
      { bodies: numbers(3) },
    );
    await clock.tickAsync(9_000);
    expect(consumer.state).to.equal('running');
    await clock.tickAsync(10_000);
    expect((await run).unfinished).to.equal(0);
    expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
  });

  it('does not count an empty receive towards the limit', async () => {
    const { send, started, run } = await running(() => {}, { messageLimit: 1 });
    await clock.tickAsync(100_000);
    await send('a');
    await clock.tickAsync(3_000);
    await run;
    expect(started).to.deep.equal(['a']);
  });

  it('ends after the idle time, but not while a worker runs or receives fail', async () => {
    const { queue, run } = await running(() => sleep(60_000), { idleExit: 10 }, { bodies: ['a'] });
    let ended = false;
    void run.then(() => {
      ended = true;
    });
    await clock.tickAsync(1_000);
    queue.always.receive = { error: unreachable };
    await clock.tickAsync(58_000);
    expect(ended).to.equal(false);
    await clock.tickAsync(60_000);
    expect(ended).to.equal(false);
    delete queue.always.receive;
    await clock.tickAsync(60_000);
    expect(ended).to.equal(true);
  });

  it('is not idle while an outcome is unsettled, or while a worker whose lease is lost is running', async () => {
    const settling = await running(() => {}, { idleExit: 10 }, { bodies: ['a'] });
    settling.queue.always.delete = { error: unreachable };
    const without = await running(() => sleep(100_000), { idleExit: 10 }, { bodies: ['b'] });
    without.queue.faults.changeVisibility.push({ entries: () => refused('ReceiptHandleIsInvalid', false) });
    // No messages arrive while the worker runs.
    without.queue.always.receive = { milliseconds: 3_600_000 };
    await clock.tickAsync(60_000);
    expect([settling.consumer.state, settling.consumer.held]).to.deep.equal(['running', 1]);
    expect([without.consumer.state, without.consumer.held]).to.deep.equal(['running', 1]);
    settling.queue.heal();
    await clock.tickAsync(25_000);
    expect([settling.consumer.state, settling.consumer.held]).to.deep.equal(['draining', 0]);
    expect(without.consumer.state).to.equal('running');
  });

  it('counts the idle time from the end of the last message', async () => {
    const { consumer } = await running(() => sleep(6_000), { idleExit: 10 }, { bodies: ['a'] });
    await clock.tickAsync(15_999);
    expect(consumer.idle).to.equal(false);
    await clock.tickAsync(200);
    expect(consumer.idle).to.equal(true);
  });
});
