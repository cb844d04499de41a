import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { LeaseLostError } from '../../src/consumer/held-message.ts';
import { type CurrentMessage, currentMessage } from '../../src/worker/current-message.ts';
import { refused, sleep } from '../support/faulty-queue.ts';
import { bodiesOf, running } from './running.ts';

describe('currentMessage()', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  /** Runs `step` in the worker of a message; resolves to what it threw, if it did. */
  async function inWorker(
    step: (message: CurrentMessage) => Promise<void>,
    options: Parameters<typeof running>[1] = {},
  ) {
    let error: unknown;
    const parts = await running(
      async () => {
        try {
          await sleep(1);
          await step(currentMessage());
        } catch (caught) {
          error = caught;
        }
      },
      options,
      { bodies: ['a'] },
    );
    return { ...parts, thrown: () => error };
  }

  it('is the right message in each of several concurrent workers, even after an await', async () => {
    const seen: string[][] = [];
    await running(
      async ({ body }) => {
        await sleep(10 - Number(body.slice(1)));
        seen.push([body, currentMessage().body]);
      },
      { concurrency: 10 },
      { bodies: bodiesOf('a', 10) },
    );
    await clock.tickAsync(1_000);
    expect(seen).to.have.length(10);
    for (const [body, current] of seen) expect(current).to.equal(body);
    expect(() => currentMessage()).to.throw('outside a worker');
  });

  it('contains everything about the message', async () => {
    const seen: object[] = [];
    const { queue } = await running(
      () => {
        const { id, body, queue, receiveCount, attributes, sentAt, groupId, deduplicationId } =
          currentMessage();
        seen.push({ id, body, queue, receiveCount, attributes, sentAt, groupId, deduplicationId });
      },
      {},
      { name: 'work.fifo' },
    );
    const attributes = { tenant: { dataType: 'String', stringValue: 'acme' } };
    await queue.send([{ body: 'a', attributes, groupId: 'g', deduplicationId: 'd' }]);
    await clock.tickAsync(1_000);
    expect(seen).to.deep.equal([
      {
        id: '00000000-0000-4000-8000-000000000001',
        body: 'a',
        queue: 'work.fifo',
        receiveCount: 1,
        attributes,
        sentAt: 0,
        groupId: 'g',
        deduplicationId: 'd',
      },
    ]);
  });

  it('has a log that knows the message', async () => {
    const lines: unknown[][] = [];
    await running(
      () => {
        currentMessage().log.info('half done');
        currentMessage().log.error('odd', new Error('why'));
      },
      {
        logOf: ({ message }) => ({
          error: (text, error) => lines.push([message.body, text, (error as Error).message]),
          warn: () => {},
          info: (text) => lines.push([message.body, text]),
          debug: () => {},
        }),
      },
      { bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    expect(lines).to.deep.equal([
      ['a', 'half done'],
      ['a', 'odd', 'why'],
    ]);
  });

  it('has a silent log if none is configured', async () => {
    const { thrown } = await inWorker(async ({ log }) => log.warn('nobody reads this'));
    await clock.tickAsync(1_000);
    expect(thrown()).to.equal(undefined);
  });

  describe('extend(seconds)', () => {
    it('keeps the message for the requested time, even if the process is blocked', async () => {
      const { queue, started } = await inWorker(async (message) => {
        await message.extend(299.5);
        clock.jump(290_000);
      });
      await clock.tickAsync(1_000);
      expect(queue.callsOf('changeVisibility')[0]!.entries).to.deep.equal([
        { receiptHandle: '1-1', seconds: 300 },
      ]);
      await clock.tickAsync(60_000);
      expect(started).to.deep.equal(['a']);
      expect(queue.callsOf('delete')).to.have.length(1);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    });

    it("postpones the container's next extension until half of the requested time is left", async () => {
      const { queue } = await inWorker(async (message) => {
        await message.extend(600);
        await sleep(700_000);
      });
      await clock.tickAsync(580_000);
      expect(queue.callsOf('changeVisibility')).to.have.length(1);
      await clock.tickAsync(130_000);
      expect(queue.callsOf('changeVisibility').length).to.be.within(5, 12);
      expect(queue.callsOf('delete')).to.have.length(1);
    });

    it("never makes a lease shorter than the container's own extensions", async () => {
      const { queue } = await inWorker((message) => message.extend(1));
      await clock.tickAsync(1_000);
      expect(queue.callsOf('changeVisibility')[0]!.entries).to.deep.equal([
        { receiptHandle: '1-1', seconds: 30 },
      ]);
    });

    it('waits for an extension in progress, which would shorten the lease again', async () => {
      const { queue, started } = await inWorker(async (message) => {
        await sleep(15_500);
        await message.extend(600);
        clock.jump(500_000);
      });
      queue.faults.changeVisibility.push({ milliseconds: 4_000 });
      await clock.tickAsync(60_000);
      const [first, second] = queue.callsOf('changeVisibility');
      expect([first!.at, second!.at]).to.deep.equal([15_000, 19_000]);
      expect(started).to.deep.equal(['a']);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    });

    it('sends one request at a time, however many are made', async () => {
      const { queue } = await inWorker(async (message) => {
        await Promise.all([60, 600, 90].map((seconds) => message.extend(seconds)));
      });
      queue.always.changeVisibility = { milliseconds: 100 };
      await clock.tickAsync(5_000);
      expect(queue.callsOf('changeVisibility').map(({ at }) => at)).to.deep.equal([1, 101, 201]);
      expect(queue.callsOf('delete')).to.have.length(1);
    });

    it('stays within the 12 hours from the receive', async () => {
      const { queue } = await inWorker(async (message) => {
        await sleep(1_000_000);
        await message.extend(43_200);
      });
      await clock.tickAsync(1_001_000);
      expect(queue.callsOf('changeVisibility').at(-1)!.entries).to.deep.equal([
        { receiptHandle: '1-1', seconds: 42_199 },
      ]);
    });

    it('rejects with LeaseLostError if the process no longer owns the message', async () => {
      const { queue, thrown } = await inWorker((message) => message.extend(60));
      queue.faults.changeVisibility.push({ entries: () => refused('MessageNotInflight', false) });
      await clock.tickAsync(1_000);
      expect(thrown()).to.be.instanceOf(LeaseLostError);
      const again = await inWorker(async (message) => {
        clock.jump(40_000);
        await message.extend(60);
      });
      await clock.tickAsync(1_000);
      expect(again.thrown()).to.be.instanceOf(LeaseLostError);
    });

    it('rejects with BrokerError if the broker fails, and the container continues to extend the lease', async () => {
      for (const fault of [
        { error: new BrokerError('unreachable', 'down') },
        { entries: () => refused('InternalError', true) },
      ]) {
        const { queue, thrown, started } = await inWorker(async (message) => {
          await message.extend(60).finally(() => sleep(100_000));
        });
        queue.faults.changeVisibility.push(fault);
        await clock.tickAsync(120_000);
        expect(thrown()).to.be.instanceOf(BrokerError);
        expect(started).to.deep.equal(['a']);
        expect((await queue.counts()).inFlight).to.equal(0);
      }
    });

    it('refuses an invalid time', async () => {
      for (const seconds of [0, -5, Number.NaN]) {
        const { queue, thrown } = await inWorker((message) => message.extend(seconds));
        await clock.tickAsync(1_000);
        expect(thrown())
          .to.be.instanceOf(RangeError)
          .with.property('message', `extend() takes a number of seconds above 0, not ${seconds}.`);
        expect(queue.callsOf('changeVisibility')).to.deep.equal([]);
      }
    });

    it('does nothing after the worker has ended, so that the outcome is not undone', async () => {
      let late: Promise<void> | undefined;
      const { queue } = await inWorker(async (message) => {
        late = sleep(1_000).then(() => message.extend(600));
      });
      await clock.tickAsync(5_000);
      await late;
      expect(queue.callsOf('changeVisibility')).to.deep.equal([]);
    });
  });
});
