// The run loop on queues whose requests may carry more or less than SQS's.
import { expect } from 'chai';
import sinon from 'sinon';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { MemoryQueue } from '../../src/brokers/memory/queue.ts';
import { SQS_LIMITS } from '../../src/brokers/rules/limits.ts';
import { FaultyQueue, sleep } from '../support/faulty-queue.ts';
import { bodiesOf, openConsumer, type SpecOptions, sendTo } from './running.ts';

/** A queue with messages, whose requests carry up to `maxBatch` entries and `maxRequestBytes`. */
async function queueOf(
  name: string,
  limits: { readonly maxBatch: number; readonly maxRequestBytes?: number },
  bodies: readonly string[] = [],
): Promise<FaultyQueue> {
  class LimitedQueue extends MemoryQueue {
    override readonly limits = { ...SQS_LIMITS, ...limits };
  }
  const queue = new FaultyQueue(new LimitedQueue(name, new MemoryBroker()));
  await sendTo(queue, bodies);
  queue.calls.length = 0;
  return queue;
}

/** The most entries in a request of this kind; for a receive, the most messages requested. */
function largest(queue: FaultyQueue, action: 'receive' | 'delete' | 'changeVisibility' | 'send'): number {
  const sizes = queue
    .callsOf(action)
    .map(({ entries }) => (action === 'receive' ? Number(entries[0]) : entries.length));
  return Math.max(...sizes);
}

describe('requests carry as many entries as the queue allows', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  /** Handles everything in the queue, 40 s per message: longer than the visibility timeout. */
  async function handleAll(queue: FaultyQueue, options: SpecOptions = {}, worker = () => sleep(40_000)) {
    const consumer = await openConsumer([{ queue, weight: 1 }], { handleMessage: worker }, options);
    const run = consumer.run();
    await clock.tickAsync(60_000);
    consumer.stop();
    await clock.tickAsync(30_000);
    await run;
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  }

  for (const maxBatch of [100, 3]) {
    it(`in receives, extensions and deletes: ${maxBatch}`, async () => {
      const queue = await queueOf('work', { maxBatch }, bodiesOf('a', 250));
      await handleAll(queue, { concurrency: 250 });
      expect(largest(queue, 'receive')).to.equal(maxBatch);
      expect(largest(queue, 'changeVisibility')).to.equal(maxBatch);
      expect(largest(queue, 'delete')).to.equal(maxBatch);
    });
  }

  it('in receives that fetch ahead', async () => {
    const queue = await queueOf('work', { maxBatch: 100 }, bodiesOf('a', 300));
    await handleAll(queue, { prefetch: 200 }, () => sleep(100));
    expect(queue.callsOf('receive')[1]!.entries).to.deep.equal([100]);
  });

  it('in deletes before handling, and when messages are returned', async () => {
    const queue = await queueOf('work', { maxBatch: 100 }, bodiesOf('a', 250));
    const consumer = await openConsumer(
      [{ queue, weight: 1 }],
      { handleMessage: () => sleep(1_000) },
      { concurrency: 100, prefetch: 100, deleteOnStart: true },
    );
    const run = consumer.run();
    await clock.tickAsync(500);
    consumer.stop();
    await clock.tickAsync(30_000);
    await run;
    expect(largest(queue, 'delete')).to.equal(100);
    expect(largest(queue, 'changeVisibility')).to.equal(100);
  });

  for (const [what, limits, size] of [
    ['entries', { maxBatch: 7 }, 7],
    ['bytes', { maxBatch: 7, maxRequestBytes: 6 }, 3],
  ] as const) {
    it(`in copies of failed messages, where the limits are those of the dead-letter queue: ${what}`, async () => {
      const bodies = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].flatMap((letter) => bodiesOf(letter, 9));
      const queue = await queueOf('work', { maxBatch: 100 }, bodies);
      const deadLetterQueue = await queueOf('failed', limits);
      const options: SpecOptions = { concurrency: 100, onError: 'dead_letter', deadLetterQueue };
      await handleAll(queue, options, () => Promise.reject(new Error('failed')));
      const sizes = deadLetterQueue.callsOf('send').map(({ entries }) => entries.length);
      expect(new Set(sizes)).to.deep.equal(new Set([size]));
      expect((await deadLetterQueue.counts()).visible).to.equal(63);
    });
  }
});
