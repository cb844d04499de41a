import { expect } from 'chai';
import sinon from 'sinon';
import type { Message } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { LeaseLostError } from '../../src/consumer/held-message.ts';
import { currentMessage } from '../../src/worker/current-message.ts';
import { block } from '../support/blockable-machine.ts';
import { type Fault, refused, sleep } from '../support/faulty-queue.ts';
import { bodiesOf, running } from './running.ts';

describe('leases', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('keep a message while its worker runs, with a visibility timeout of 2 seconds', async () => {
    const { started, queue } = await running(
      () => sleep(60_000),
      { visibilityTimeout: 2 },
      { bodies: ['a'] },
    );
    await clock.tickAsync(120_000);
    expect(started).to.deep.equal(['a']);
    expect(queue.callsOf('changeVisibility').length).to.be.within(55, 65);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('also keep waiting messages: each runs once, however long those before it take', async () => {
    const bodies = ['a', 'b', 'c', 'd', 'e'];
    const { started, queue } = await running(
      ({ body }) => sleep(body === 'a' ? 1 : 20_000),
      { visibilityTimeout: 30 },
      { bodies },
    );
    await clock.tickAsync(200_000);
    expect([...started].sort()).to.deep.equal(bodies);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('are extended ten per request', async () => {
    const bodies = Array.from({ length: 20 }, (_, index) => String(index));
    const { queue } = await running(() => sleep(50_000), { concurrency: 20 }, { bodies });
    await clock.tickAsync(20_000);
    expect(queue.callsOf('changeVisibility').map(({ entries }) => entries.length)).to.deep.equal([10, 10]);
  });

  it('keep a batch of ten while its workers run, with a visibility timeout of 2 seconds', async () => {
    const { started, queue } = await running(
      () => sleep(60_000),
      { visibilityTimeout: 2, concurrency: 10, prefetch: 10 },
      { bodies: bodiesOf('a', 20) },
    );
    await clock.tickAsync(130_000);
    expect(started).to.have.length(20);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    const requests = queue.callsOf('changeVisibility');
    const entries = requests.reduce((sum, call) => sum + call.entries.length, 0);
    expect(entries / requests.length).to.be.greaterThan(9);
    expect(requests.length).to.be.at.most(190);
  });

  it('cost no requests while nothing is held', async () => {
    const { queue } = await running(() => {}, { visibilityTimeout: 1 }, { bodies: bodiesOf('a', 5) });
    await clock.tickAsync(600_000);
    expect(queue.callsOf('changeVisibility')).to.deep.equal([]);
  });

  for (const seconds of [1, 2, 3, 5]) {
    it(`of ${seconds} s are not extended more often than twice in their time`, async () => {
      const { queue } = await running(() => sleep(60_000), { visibilityTimeout: seconds }, { bodies: ['a'] });
      await clock.tickAsync(60_500);
      expect(queue.callsOf('changeVisibility').length).to.be.at.most((60 * 2) / seconds);
      expect((await queue.counts()).inFlight).to.equal(0);
    });
  }

  it('are whole seconds, although the clock is not', async () => {
    const { queue } = await running(() => sleep(80_000), { visibilityTimeout: 7 }, { bodies: ['a'] });
    for (let tick = 0; tick < 200; tick += 1) await clock.tickAsync(333.3);
    for (const { entries } of queue.callsOf('changeVisibility')) {
      for (const { seconds } of entries as { seconds: number }[]) {
        expect(Number.isInteger(seconds) && seconds > 0 && seconds <= 43_200).to.equal(true);
      }
    }
  });

  it('are not extended during or after the delete', async () => {
    const { queue } = await running(() => sleep(14_890), {}, { bodies: ['a'] });
    queue.faults.delete.push({ milliseconds: 10_000 });
    await clock.tickAsync(120_000);
    expect(queue.callsOf('changeVisibility')).to.deep.equal([]);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('belong to a delivery, not to a message: a message received twice is kept twice', async () => {
    const { queue, started } = await running(
      ({ receiveCount }) => sleep(receiveCount === 1 ? 60_000 : 30_000),
      { concurrency: 2, visibilityTimeout: 10 },
      { bodies: ['a'] },
    );
    // The first lease is lost silently, as if the server forgot an extension.
    const extend = sinon.stub(queue, 'changeVisibility').callThrough();
    extend.onFirstCall().resolves([{ ok: true }]);
    await clock.tickAsync(70_000);
    expect(started).to.deep.equal(['a', 'a']);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('are extended by the visibility timeout from now, each time the same', async () => {
    const { queue } = await running(() => sleep(50_000), { visibilityTimeout: 10 }, { bodies: ['a'] });
    await clock.tickAsync(40_000);
    const changes = queue.callsOf('changeVisibility').flatMap(({ entries }) => entries) as {
      seconds: number;
    }[];
    expect(new Set(changes.map(({ seconds }) => seconds))).to.deep.equal(new Set([10]));
  });

  it('end after 12 hours, and the worker is notified', async () => {
    let reason: unknown;
    const { queue } = await running(
      async () => {
        const { signal } = currentMessage();
        await sleep(13 * 3_600_000);
        reason = signal.reason;
      },
      { visibilityTimeout: 3_600 },
      { bodies: ['a'] },
    );
    await clock.tickAsync(12 * 3_600_000 + 1_000);
    const changes = queue.callsOf('changeVisibility');
    expect(changes.length).to.be.within(20, 30);
    await clock.tickAsync(3_600_000);
    expect(reason).to.be.instanceOf(LeaseLostError);
    expect(queue.callsOf('changeVisibility')).to.have.length(changes.length);
  });

  it('retry a failed extension within the time left', async () => {
    const { started, queue } = await running(() => sleep(60_000), {}, { bodies: ['a'] });
    queue.faults.changeVisibility.push(
      { error: new BrokerError('unreachable', 'down') },
      { entries: () => refused('InternalError', true) },
    );
    await clock.tickAsync(90_000);
    expect(started).to.deep.equal(['a']);
  });

  it('abort the signal once when lost, and the outcome is not sent', async () => {
    const lost = sinon.spy();
    let aborted: unknown;
    const { queue } = await running(
      async () => {
        currentMessage().signal.addEventListener('abort', (event) => {
          aborted = (event.target as AbortSignal).reason;
        });
        await sleep(60_000);
      },
      {},
      { bodies: ['a'], observer: { leaseLost: lost } },
    );
    queue.faults.changeVisibility.push({ entries: () => refused('ReceiptHandleIsInvalid', false) });
    await clock.tickAsync(20_000);
    expect(aborted).to.be.instanceOf(LeaseLostError);
    await clock.tickAsync(38_000);
    expect(queue.callsOf('changeVisibility')).to.have.length(1);
    expect(lost.callCount).to.equal(1);
    await clock.tickAsync(3_000);
    expect(queue.callsOf('delete')).to.have.length(0);
  });

  it('that ran out while the process was blocked are detected before any delete', async () => {
    const lost = sinon.spy();
    const { queue } = await running(
      ({ receiveCount }) => {
        // Only the clock advances, as in a loop that never yields.
        if (receiveCount === 1) clock.setSystemTime(Date.now() + 40_000);
        if (receiveCount === 1) clock.jump(40_000);
      },
      {},
      { bodies: ['a'], observer: { leaseLost: lost } },
    );
    await clock.tickAsync(1_000);
    expect(lost.callCount).to.equal(1);
    expect(queue.callsOf('delete').length).to.be.at.most(1);
  });

  describe('of workers that block the process for longer than a lease', () => {
    const nothing = { visible: 0, inFlight: 0, delayed: 0 };
    /** At most five times, so that a message that keeps arriving fails the spec and does not hang it. */
    const blockProcess = ({ receiveCount }: Message) => {
      if (receiveCount <= 5) block(clock, 3_000);
    };

    for (const name of ['work', 'work.fifo']) {
      it(`let each message be handled once and deleted: ${name}`, async () => {
        const { started, queue, consumer, run } = await running(
          (message) => blockProcess(message),
          { visibilityTimeout: 2 },
          { name, bodies: ['a0', 'a1', 'b0'] },
        );
        await clock.tickAsync(120_000);
        expect(started).to.have.members(['a0', 'a1', 'b0']);
        expect(started.indexOf('a0')).to.be.below(started.indexOf('a1'));
        expect(await queue.counts()).to.deep.equal(nothing);
        consumer.stop();
        await clock.tickAsync(30_000);
        expect((await run).mayRunAgain).to.equal(0);
      });
    }

    it('let a message be handled once, even if its worker awaits a timer before it returns', async () => {
      const { started, queue } = await running(
        async (message) => {
          blockProcess(message);
          await sleep(10);
        },
        { visibilityTimeout: 2 },
        { bodies: ['a'] },
      );
      await clock.tickAsync(120_000);
      expect(started).to.deep.equal(['a']);
      expect(await queue.counts()).to.deep.equal(nothing);
    });

    it('let a neighboring message that was already handled be deleted, not run again', async () => {
      const { started, queue } = await running(
        (message) => (message.body === 'slow' ? blockProcess(message) : undefined),
        { visibilityTimeout: 2, concurrency: 2 },
        { bodies: ['fast', 'slow'] },
      );
      await clock.tickAsync(120_000);
      expect(started).to.deep.equal(['fast', 'slow']);
      expect(await queue.counts()).to.deep.equal(nothing);
    });

    it('ignore a failure: the message becomes visible again', async () => {
      const failed = sinon.spy();
      const { started, queue } = await running(
        ({ receiveCount }) => {
          if (receiveCount === 1) block(clock, 3_000);
          throw new Error('no such user');
        },
        { visibilityTimeout: 2, onError: 'delete' },
        { bodies: ['a'], observer: { failed } },
      );
      await clock.tickAsync(10);
      expect(queue.callsOf('delete')).to.deep.equal([]);
      await clock.tickAsync(120_000);
      expect(started).to.deep.equal(['a', 'a']);
      expect(failed.args.map(([, , outcome]) => outcome)).to.deep.equal([
        { action: 'retry' },
        { action: 'delete' },
      ]);
      expect(queue.callsOf('delete')).to.have.length(1);
    });

    it('prevent a delete if the worker was told to stop and may have stopped halfway', async () => {
      const { started, queue } = await running(
        async ({ receiveCount }) => {
          const { signal } = currentMessage();
          if (receiveCount > 1) return;
          block(clock, 3_000);
          await sleep(10);
          expect(signal.aborted).to.equal(true);
        },
        { visibilityTimeout: 2 },
        { bodies: ['a'] },
      );
      await clock.tickAsync(120_000);
      expect(started).to.deep.equal(['a', 'a']);
      expect(await queue.counts()).to.deep.equal(nothing);
    });

    it('let a message received again in the meantime be deleted, not run', async () => {
      const { started, queue } = await running(
        async (message) => {
          if (message.body !== 'a') return;
          blockProcess(message);
          await sleep(500);
        },
        { visibilityTimeout: 2, prefetch: 10 },
        { bodies: ['a', 'b'] },
      );
      await clock.tickAsync(120_000);
      expect(started.filter((body) => body === 'a')).to.deep.equal(['a']);
      expect(await queue.counts()).to.deep.equal(nothing);
    });
  });

  it('of waiting FIFO messages, when they run out, return the messages behind them', async () => {
    const { queue, started } = await running(
      ({ body }) => sleep(body === 'b0' ? 20_000 : 1),
      { visibilityTimeout: 10, prefetch: 10 },
      { name: 'work.fifo', bodies: ['b0', 'a0', 'a1', 'a2'] },
    );
    queue.faults.changeVisibility.push({
      entries: (_, index) => (index === 1 ? refused('ReceiptHandleIsInvalid', false) : undefined),
    });
    await clock.tickAsync(120_000);
    expect(started.filter((body) => body.startsWith('a'))).to.deep.equal(['a0', 'a1', 'a2']);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('count from the request for an extension, not from the response', async () => {
    const lost = sinon.spy();
    const { queue } = await running(
      () => sleep(60_000),
      { visibilityTimeout: 10 },
      { bodies: ['a'], observer: { leaseLost: () => lost(performance.now()) } },
    );
    queue.faults.changeVisibility.push({ milliseconds: 4_000 });
    queue.always.changeVisibility = { error: new BrokerError('unreachable', 'down') };
    await clock.tickAsync(60_000);
    const [requestedAt] = queue.callsOf('changeVisibility').map(({ at }) => at);
    expect([requestedAt, ...lost.args.flat()]).to.deep.equal([5_000, 15_000]);
  });

  it("are extended or lost according to each message's result", async () => {
    const leaseLost = sinon.spy();
    const { queue, started } = await running(
      () => sleep(20_000),
      { concurrency: 10, visibilityTimeout: 10 },
      { bodies: bodiesOf('a', 10), observer: { leaseLost } },
    );
    const [busy, gone] = [refused('InternalError', true), refused('ReceiptHandleIsInvalid', false)];
    queue.faults.changeVisibility.push({
      entries: (_, index) =>
        [undefined, undefined, busy, undefined, busy, undefined, gone, undefined, gone][index],
    });
    await clock.tickAsync(9_900);
    expect(leaseLost.args.map(([{ message }]) => message.body)).to.deep.equal(['a6', 'a8']);
    const sizes = queue.callsOf('changeVisibility').map(({ entries }) => entries.length);
    expect(sizes.slice(0, 2)).to.deep.equal([10, 2]);
    await clock.tickAsync(60_000);
    expect(started.slice(10).sort()).to.deep.equal(['a6', 'a8']);
    expect(leaseLost.callCount).to.equal(2);
  });

  describe('of the first of a FIFO group', () => {
    /** Refuses to extend `a0`, the first received message, in the first extension request. */
    const refuseFirst: Fault = {
      entries: (_, index) => (index === 0 ? refused('ReceiptHandleIsInvalid', false) : undefined),
    };
    const fifo = { name: 'work.fifo', bodies: bodiesOf('a', 3) };

    for (const [what, end] of [
      ['returns', () => {}],
      [
        'fails',
        () => {
          throw new Error('no such user');
        },
      ],
    ] as const) {
      it(`that are lost while it runs return those behind it if its worker ${what}, so they arrive later`, async () => {
        const { queue, started } = await running(
          async ({ receiveCount }) => {
            await sleep(8_000);
            if (receiveCount === 1) end();
          },
          { visibilityTimeout: 10, prefetch: 10 },
          fifo,
        );
        queue.faults.changeVisibility.push(refuseFirst);
        await clock.tickAsync(9_000);
        expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 1, delayed: 0 });
        await clock.tickAsync(120_000);
        expect(started).to.deep.equal(['a0', 'a0', 'a1', 'a2']);
      });
    }

    it('that ran out unnoticed before it starts return those behind it, so they arrive later', async () => {
      const { queue, started, send } = await running(
        async ({ body, receiveCount }) => {
          await sleep(8_000);
          // Only the clock advances, as in a loop that never yields.
          if (body === 'b0' && receiveCount === 1) clock.jump(2_000);
        },
        { visibilityTimeout: 10, prefetch: 10 },
        { name: 'work.fifo', bodies: ['b0', 'a0'] },
      );
      queue.always.changeVisibility = { error: new BrokerError('unreachable', 'down') };
      await clock.tickAsync(6_000);
      await send('a1', 'a2');
      await clock.tickAsync(3_000);
      queue.heal();
      await clock.tickAsync(120_000);
      expect(started.filter((body) => body.startsWith('a'))).to.deep.equal(['a0', 'a1', 'a2']);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    });

    it('that are lost because the delete before its start is refused also return those behind it', async () => {
      const { queue, started } = await running(
        () => sleep(10),
        { deleteOnStart: true, visibilityTimeout: 10, prefetch: 10 },
        fifo,
      );
      queue.faults.delete.push({ entries: () => refused('ReceiptHandleIsInvalid', false) });
      await clock.tickAsync(5_000);
      expect(started).to.deep.equal([]);
      expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 1, delayed: 0 });
      await clock.tickAsync(30_000);
      expect(started).to.deep.equal(['a0', 'a1', 'a2']);
    });
  });
});
