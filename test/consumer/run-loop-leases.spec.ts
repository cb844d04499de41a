import { expect } from 'chai';
import sinon from 'sinon';
import type { Message } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { LeaseLostError } from '../../src/consumer/held-message.ts';
import { currentMessage } from '../../src/worker/current-message.ts';
import { type Fault, refused, sleep } from '../support/faulty-queue.ts';
import { block, bodiesOf, running } from './running.ts';

describe('leases', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('keep a message for as long as its worker runs, with a visibility timeout of 2 seconds', async () => {
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

  it('keep what waits, too: each message runs once, however long those before it take', async () => {
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

  it('are extended ten to a request', async () => {
    const bodies = Array.from({ length: 20 }, (_, index) => String(index));
    const { queue } = await running(() => sleep(50_000), { concurrency: 20 }, { bodies });
    await clock.tickAsync(20_000);
    expect(queue.callsOf('changeVisibility').map(({ entries }) => entries.length)).to.deep.equal([10, 10]);
  });

  it('keep a batch of ten for as long as its workers run, with a visibility timeout of 2 seconds', async () => {
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

  it('are whole seconds, though the clock is not', async () => {
    const { queue } = await running(() => sleep(80_000), { visibilityTimeout: 7 }, { bodies: ['a'] });
    for (let tick = 0; tick < 200; tick += 1) await clock.tickAsync(333.3);
    for (const { entries } of queue.callsOf('changeVisibility')) {
      for (const { seconds } of entries as { seconds: number }[]) {
        expect(Number.isInteger(seconds) && seconds > 0 && seconds <= 43_200).to.equal(true);
      }
    }
  });

  it('are not extended while the delete is under way, and not after it', async () => {
    const { queue } = await running(() => sleep(14_890), {}, { bodies: ['a'] });
    queue.faults.delete.push({ milliseconds: 10_000 });
    await clock.tickAsync(120_000);
    expect(queue.callsOf('changeVisibility')).to.deep.equal([]);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('belong to a delivery, not to a message: one that comes twice is kept twice', async () => {
    const { queue, started } = await running(
      ({ receiveCount }) => sleep(receiveCount === 1 ? 60_000 : 30_000),
      { concurrency: 2, visibilityTimeout: 10 },
      { bodies: ['a'] },
    );
    // The first lease is lost in silence, as when the server forgets an extension.
    queue.faults.changeVisibility.push({ entries: () => ({ ok: true }) as never });
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

  it('end after 12 hours, and the worker is told', async () => {
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

  it('are tried again within the time that is left when an extension fails', async () => {
    const { started, queue } = await running(() => sleep(60_000), {}, { bodies: ['a'] });
    queue.faults.changeVisibility.push(
      { error: new BrokerError('unreachable', 'down') },
      { entries: () => refused('InternalError', true) },
    );
    await clock.tickAsync(90_000);
    expect(started).to.deep.equal(['a']);
  });

  it('that are lost abort the signal, once, and the outcome is not made so', async () => {
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

  it('that ran out while the process was blocked are noticed before anything is deleted', async () => {
    const lost = sinon.spy();
    const { queue } = await running(
      ({ receiveCount }) => {
        // The clock goes on and nothing else does, as in a loop that never gives way.
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

  describe('of workers that block the process for longer than they last', () => {
    const nothing = { visible: 0, inFlight: 0, delayed: 0 };
    /** At most five times, so that a message that comes back for ever fails the spec and does not hang it. */
    const blockProcess = ({ receiveCount }: Message) => {
      if (receiveCount <= 5) block(clock, 3_000);
    };

    for (const name of ['work', 'work.fifo']) {
      it(`let each message be handled once, and deleted: ${name}`, async () => {
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

    it('let it be handled once, too, if they wait for a timer before they return', async () => {
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

    it('let a neighbor that returned before be deleted, and not run again', async () => {
      const { started, queue } = await running(
        (message) => (message.body === 'slow' ? blockProcess(message) : undefined),
        { visibilityTimeout: 2, concurrency: 2 },
        { bodies: ['fast', 'slow'] },
      );
      await clock.tickAsync(120_000);
      expect(started).to.deep.equal(['fast', 'slow']);
      expect(await queue.counts()).to.deep.equal(nothing);
    });

    it('let no failure be acted on: the message comes back', async () => {
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

    it('let nothing be deleted if the worker was told and may have stopped half way', async () => {
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

    it('let what was received again meanwhile be deleted, not run', async () => {
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

  it('that ran out of a waiting message on a FIFO queue take those behind it back, too', async () => {
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

  it('count from the request for an extension, not from its answer', async () => {
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

  it('of each message are extended or lost by what the answer says of it', async () => {
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
    /** Refuses to extend `a0`, which was received first, when the leases are extended first. */
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
      it(`that are lost while it runs take those behind it back when its worker ${what}: they come after it`, async () => {
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

    it('that ran out before it starts, unnoticed, take those behind it back: they come after it', async () => {
      const { queue, started, send } = await running(
        async ({ body, receiveCount }) => {
          await sleep(8_000);
          // The clock goes on and nothing else does, as in a loop that never gives way.
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

    it('that are lost because its delete before its start is refused take those behind it back, too', async () => {
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
