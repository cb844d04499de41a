import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { sleep } from '../support/faulty-queue.ts';
import { bodiesOf, running, runningOnSeveral, settled } from './running.ts';

describe('slots', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('take the next message as soon as they are free, whatever the others do', async () => {
    const { started } = await running(
      ({ body }) => sleep(body === 'a0' ? 60_000 : 1_000),
      { concurrency: 10 },
      { bodies: bodiesOf('a', 100) },
    );
    await clock.tickAsync(10_500);
    expect(started).to.have.length(10 + 9 * 10);
  });

  it('run as many messages at once as there are slots, and never more', async () => {
    let atOnce = 0;
    let most = 0;
    const { started } = await running(
      async ({ body }) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await sleep(1 + (Number(body.slice(1)) % 7));
        atOnce -= 1;
        if (body.endsWith('3')) throw new Error('now and then');
      },
      { concurrency: 7 },
      { bodies: bodiesOf('a', 500) },
    );
    await clock.tickAsync(5_000);
    expect([started.length, most]).to.deep.equal([500, 7]);
  });

  it('run no more than that when requests fail and every listener throws, and the drain waits for all', async () => {
    const broken = () => {
      throw new Error('a broken listener');
    };
    const observer = {
      handled: broken,
      failed: broken,
      settled: broken,
      settleFailed: broken,
      received: broken,
    };
    let atOnce = 0;
    let most = 0;
    const { consumer, queue, run } = await running(
      async ({ body }) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await sleep(1_000 + 500 * (Number(body.slice(1)) % 7));
        atOnce -= 1;
        if (body.endsWith('3')) throw new Error('now and then');
      },
      { concurrency: 4, visibilityTimeout: 3, onError: 'retry' },
      { bodies: bodiesOf('a', 100), observer },
    );
    for (const error of [new BrokerError('unreachable', 'down'), new BrokerError('denied', 'no')]) {
      queue.ail({ delete: [{ error }, { error, worked: true }], changeVisibility: [{ error }] });
    }
    await clock.tickAsync(20_000);
    consumer.stop();
    expect(atOnce).to.equal(4);
    await clock.tickAsync(30_000);
    await run;
    expect([atOnce, most, consumer.held]).to.deep.equal([0, 4, 0]);
  });

  it('reach 95% of the possible throughput when a receive takes four times as long as a message', async () => {
    const [bodies, milliseconds, receiveMs] = [bodiesOf('a', 4_000), 5, 20];
    const { queues, started } = await runningOnSeveral(
      [{ name: 'work', bodies, receiveMs }],
      () => sleep(milliseconds),
      { concurrency: 10 },
    );
    await clock.tickAsync(500);
    const before = started.length;
    await clock.tickAsync(1_000);
    expect(started.length - before).to.be.at.least(0.95 * 2_000);
    const { inFlight } = await queues[0]!.counts();
    expect(inFlight).to.be.at.most(300);
  });

  it('hold only the running messages if a message takes a minute', async () => {
    const { queue } = await running(() => sleep(60_000), { concurrency: 5 }, { bodies: bodiesOf('a', 100) });
    await clock.tickAsync(30_000);
    for (let minute = 1; minute < 6; minute += 1) {
      await clock.tickAsync(60_000);
      expect((await queue.counts()).inFlight).to.equal(5);
    }
  });

  it('need one call per ten messages while workers are fast', async () => {
    const { queues, started } = await runningOnSeveral(
      [{ name: 'work', bodies: bodiesOf('a', 2_000), receiveMs: 20 }],
      () => sleep(5),
      { concurrency: 10 },
    );
    await clock.tickAsync(3_000);
    expect(started).to.have.length(2_000);
    const work = queues[0]!.calls.filter(({ action }) => action !== 'send');
    expect(work.length / 2_000).to.be.at.most(0.22);
  });

  it('need hardly more calls on a FIFO queue with many groups', async () => {
    const bodies = Array.from(
      { length: 1_000 },
      (_, index) => `${String.fromCharCode(97 + (index % 26))}${index}`,
    );
    const { queues, started } = await runningOnSeveral(
      [{ name: 'work.fifo', bodies, receiveMs: 20 }],
      () => sleep(5),
      { concurrency: 10 },
    );
    await clock.tickAsync(3_000);
    expect(started).to.have.length(1_000);
    const work = queues[0]!.calls.filter(({ action }) => action !== 'send');
    expect(work.length / 1_000).to.be.at.most(0.3);
  });

  it('request nothing while they are all busy, and are filled as soon as one is free', async () => {
    const { queue, started } = await running(
      ({ body }) => sleep(body === 'a0' ? 60_000 : 3_600_000),
      { concurrency: 3, visibilityTimeout: 600 },
      { bodies: bodiesOf('a', 10) },
    );
    await clock.tickAsync(59_990);
    expect(started).to.have.length(3);
    expect(queue.callsOf('receive').length).to.be.at.most(3);
    await clock.tickAsync(15);
    expect(started).to.have.length(4);
  });

  describe('with a fixed prefetch', () => {
    const inFlightWith = async (prefetch: number) => {
      const { queue } = await running(
        () => sleep(60_000),
        { prefetch, concurrency: 2 },
        {
          bodies: bodiesOf('a', 100),
        },
      );
      await clock.tickAsync(20_000);
      return (await queue.counts()).inFlight;
    };

    it('hold that many in addition to the running messages, however slow the worker is', async () => {
      expect(await inFlightWith(0)).to.equal(2);
      expect(await inFlightWith(5)).to.equal(7);
      expect(await inFlightWith(30)).to.be.within(23, 32);
    });

    it('do not need a receive per message', async () => {
      const { queue, started } = await running(
        () => sleep(10),
        { prefetch: 20 },
        { bodies: bodiesOf('a', 500) },
      );
      await clock.tickAsync(5_100);
      expect(started).to.have.length(500);
      expect(queue.callsOf('receive').length).to.be.at.most(60);
    });
  });

  describe('on a FIFO queue', () => {
    it('are not kept idle by many messages in one group', async () => {
      const bodies = [...bodiesOf('a', 20), 'b0', 'c0', 'd0'];
      const { started } = await running(
        () => sleep(10_000),
        { concurrency: 4 },
        { name: 'work.fifo', bodies },
      );
      await clock.tickAsync(1_000);
      expect([...started].sort()).to.deep.equal(['a0', 'b0', 'c0', 'd0']);
    });

    it('run each group in order, however long the workers take', async () => {
      const bodies = bodiesOf('a', 10);
      const { started } = await running(
        ({ body }) => sleep(100 - 9 * Number(body.slice(1))),
        { concurrency: 10 },
        { name: 'work.fifo', bodies },
      );
      await clock.tickAsync(2_000);
      expect(started).to.deep.equal(bodies);
    });

    it('return the unstarted messages behind a failed one: only one receive counts against them', async () => {
      const received = new Map<string, number[]>();
      const { started, queue } = await running(
        ({ body, receiveCount }) => {
          received.set(body, [...(received.get(body) ?? []), receiveCount]);
          if (body === 'a0' && receiveCount === 1) throw new Error('once');
        },
        { concurrency: 3, onError: 'retry', backoff: () => 10 },
        { name: 'work.fifo', bodies: ['a0', 'a1', 'a2', 'b0'] },
      );
      await settled();
      await clock.tickAsync(9_000);
      expect(started).to.deep.equal(['a0', 'b0']);
      expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 1, delayed: 0 });
      await clock.tickAsync(10_000);
      expect(started).to.deep.equal(['a0', 'b0', 'a0', 'a1', 'a2']);
      expect(received.get('a1')).to.deep.equal([2]);
    });

    it('do not extend the leases of returned messages', async () => {
      const { queue } = await running(
        () => {
          throw new Error('always');
        },
        { onError: 'retry', backoff: () => 3_600, visibilityTimeout: 10, concurrency: 3 },
        { name: 'work.fifo', bodies: ['a0', 'a1', 'a2'] },
      );
      await clock.tickAsync(600_000);
      const changes = queue.callsOf('changeVisibility').flatMap(({ entries }) => entries);
      expect(changes).to.have.length(3);
    });
  });
});
