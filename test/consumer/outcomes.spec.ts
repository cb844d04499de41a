import { expect } from 'chai';
import sinon from 'sinon';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { exponentialBackoff } from '../../src/worker/backoff.ts';
import { TransientError } from '../../src/worker/errors.ts';
import { sleep } from '../support/faulty-queue.ts';
import { openConsumer, running } from './running.ts';

describe('outcomes', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  const failing = () => {
    throw new Error('no such user');
  };

  it('delete a message whose worker failed, after the observer has been notified', async () => {
    const failed = sinon.spy();
    const { queue, started } = await running(failing, {}, { bodies: ['a', 'b'], observer: { failed } });
    await clock.tickAsync(60_000);
    expect(started).to.deep.equal(['a', 'b']);
    expect(
      failed.args.map(([delivery, error, outcome]) => [delivery.message.body, error.message, outcome]),
    ).to.deep.equal([
      ['a', 'no such user', { action: 'delete' }],
      ['b', 'no such user', { action: 'delete' }],
    ]);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('keep a failed message whose body could not be recorded', async () => {
    const failed = sinon.stub().throws(new Error('disk full'));
    const { queue, started } = await running(failing, {}, { bodies: ['a'], observer: { failed } });
    await clock.tickAsync(29_000);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
    await clock.tickAsync(2_000);
    expect(started).to.deep.equal(['a', 'a']);
  });

  it('keep a failed message with on_error = retry', async () => {
    const { started } = await running(failing, { onError: 'retry' }, { bodies: ['a'] });
    await clock.tickAsync(61_000);
    expect(started).to.deep.equal(['a', 'a', 'a']);
  });

  it('make the message visible later each time with a backoff, counted by receives', async () => {
    const at: number[] = [];
    await running(
      () => {
        at.push(Date.now());
        throw new Error('no such user');
      },
      { onError: 'retry', backoff: exponentialBackoff({ base: 3, spread: 0 }) },
      { bodies: ['a'] },
    );
    await clock.tickAsync(60_000);
    const pauses = at.slice(1).map((time, index) => Math.round((time - at[index]!) / 1000));
    expect(pauses).to.deep.equal([1, 3, 9, 27]);
  });

  it('make the message visible after the delay of a TransientError, whatever the backoff is', async () => {
    const { started } = await running(
      () => {
        throw new TransientError({ delay: 5 });
      },
      { backoff: () => 1_000 },
      { bodies: ['a'] },
    );
    await clock.tickAsync(4_900);
    expect(started).to.have.length(1);
    await clock.tickAsync(1_000);
    expect(started).to.have.length(2);
  });

  it("lead to the queue's redrive after exactly the number of receives that it allows", async () => {
    const broker = new MemoryBroker();
    await broker.create('failed');
    await broker.create('work', { deadLetterQueue: { name: 'failed', maxReceives: 3 } });
    const queue = await broker.open('work');
    await queue.send([{ body: 'a' }]);
    const handleMessage = sinon.stub().throws(new Error('no such user'));
    const options = { onError: 'retry', backoff: () => 1 } as const;
    const consumer = await openConsumer([{ queue, weight: 1 }], { handleMessage }, options);
    const run = consumer.run();
    await clock.tickAsync(60_000);
    expect(handleMessage.args.map(([{ receiveCount }]) => receiveCount)).to.deep.equal([1, 2, 3]);
    expect((await (await broker.open('failed')).counts()).visible).to.equal(1);
    consumer.stop();
    await clock.tickAsync(5_000);
    await run;
  });

  it('work for a worker that throws immediately and for one that rejects later', async () => {
    const { queue } = await running(
      async () => {
        await sleep(10);
        throw new Error('later');
      },
      {},
      { bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  describe('on a FIFO queue', () => {
    it('keep the order within a group if a message fails: it arrives again before those behind it', async () => {
      let first = true;
      const { started } = await running(
        async ({ body }) => {
          await sleep(1);
          if (body === 'a1' && first) {
            first = false;
            throw new TransientError({ delay: 5 });
          }
        },
        {},
        { name: 'work.fifo', bodies: ['a1', 'a2', 'a3', 'b1', 'b2'] },
      );
      await clock.tickAsync(60_000);
      expect(started.filter((body) => body.startsWith('a'))).to.deep.equal(['a1', 'a1', 'a2', 'a3']);
      expect(started.filter((body) => body.startsWith('b'))).to.deep.equal(['b1', 'b2']);
    });

    it('return the messages behind a failed one, and stop extending their leases', async () => {
      const { queue } = await running(
        async ({ body }) => {
          if (body === 'a0') throw new TransientError({ delay: 600 });
          await sleep(500_000);
        },
        { prefetch: 10, visibilityTimeout: 10 },
        { name: 'work.fifo', bodies: ['a0', 'a1', 'a2', 'b0'] },
      );
      await clock.tickAsync(400_000);
      const extended = queue.callsOf('changeVisibility').filter(({ at }) => at > 1_000);
      expect(extended).to.not.deep.equal([]);
      for (const { entries } of extended) expect(entries).to.have.length(1);
      expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 2, delayed: 0 });
    });

    it('run groups in parallel, and each in order, however long the workers take', async () => {
      const bodies = Array.from({ length: 30 }, (_, index) => `${'abc'[index % 3]}${Math.floor(index / 3)}`);
      const running_ = new Set<string>();
      const { started } = await running(
        async ({ body }) => {
          const group = body.slice(0, 1);
          expect(running_.has(group)).to.equal(false);
          running_.add(group);
          await sleep(1 + ((body.charCodeAt(1) * 7) % 13));
          running_.delete(group);
        },
        { concurrency: 5 },
        { name: 'work.fifo', bodies },
      );
      await clock.tickAsync(60_000);
      for (const group of 'abc') {
        const ofGroup = (body: string) => body.startsWith(group);
        expect(started.filter(ofGroup)).to.deep.equal(bodies.filter(ofGroup));
      }
    });

    it('do not hold up a group if a message is deleted because of an error', async () => {
      const { started } = await running(failing, {}, { name: 'work.fifo', bodies: ['a1', 'a2', 'a3'] });
      await clock.tickAsync(1_000);
      expect(started).to.deep.equal(['a1', 'a2', 'a3']);
    });
  });
});
