// Random runs: no message is lost, whatever workers do, whichever requests fail and whenever the stop comes.
import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import type { Consumer } from '../../src/consumer/consumer.ts';
import { TransientError } from '../../src/worker/errors.ts';
import { type Fault, FaultyQueue, refused, sleep } from '../support/faulty-queue.ts';
import { openConsumer, type SpecOptions, sendTo } from './running.ts';

/** What the worker does in one attempt at a message. */
type Attempt =
  | { readonly does: 'return' | 'fail' | 'retry' | 'block'; readonly milliseconds: number }
  | { readonly does: 'retry later'; readonly milliseconds: number; readonly delay: number };

interface Run {
  readonly names: readonly string[];
  readonly messages: number;
  readonly attempts: readonly Attempt[];
  readonly faults: Readonly<Record<'receive' | 'delete' | 'changeVisibility' | 'send', readonly Fault[]>>;
  readonly options: SpecOptions & Required<Pick<SpecOptions, 'concurrency' | 'onError'>>;
  readonly stopAfterMs: number;
}

const AT_ONCE: Attempt = { does: 'return', milliseconds: 0 };
const milliseconds = fc.oneof(fc.constant(0), fc.nat(50), fc.nat(12_000));
const attempt: fc.Arbitrary<Attempt> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('return' as const), milliseconds }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('fail' as const), milliseconds }) },
  fc.record({ does: fc.constantFrom('retry' as const, 'block' as const), milliseconds }),
  fc.record({ does: fc.constant('retry later' as const), milliseconds, delay: fc.nat(20) }),
);
const unreachable = new BrokerError('unreachable', 'down');
const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ milliseconds: fc.nat(200) }) },
  fc.record({ milliseconds: fc.nat(15_000) }),
  fc.record({ error: fc.constant(unreachable), worked: fc.boolean() }),
  fc.record({ retryable: fc.boolean(), of: fc.nat(3) }).map(({ retryable, of }) => ({
    entries: (_: string, index: number) => (index % 4 === of ? refused('Refused', retryable) : undefined),
  })),
);
const faults = fc.array(fault, { maxLength: 12 });
const run: fc.Arbitrary<Run> = fc.record({
  names: fc.constantFrom(['work'], ['work.fifo'], ['work', 'more.fifo']),
  messages: fc.integer({ min: 1, max: 40 }),
  attempts: fc.array(attempt, { minLength: 1, maxLength: 40 }),
  faults: fc.record({ receive: faults, delete: faults, changeVisibility: faults, send: faults }),
  options: fc.record({
    concurrency: fc.constantFrom(1, 2, 8),
    onError: fc.constantFrom('delete' as const, 'retry' as const, 'dead_letter' as const),
    visibilityTimeout: fc.constantFrom(2, 5, 30),
    prefetch: fc.constantFrom('auto' as const, 0, 10),
    handlerTimeout: fc.constantFrom(1, 3_600),
    settleDelay: fc.constantFrom(0, 100),
    drainTimeout: fc.constantFrom(0, 3, 30),
  }),
  stopAfterMs: fc.oneof(fc.nat(500), fc.nat(60_000)),
});

/** What happened to a message. */
interface Fate {
  attempts: number;
  succeeded: boolean;
  failed: boolean;
}

interface Played {
  readonly fates: ReadonlyMap<string, Fate>;
  /** The handled bodies, in the order of their first success. */
  readonly firstSuccesses: readonly string[];
  /** The bodies in the dead-letter queue. */
  readonly buried: ReadonlySet<string>;
}

describe('the run loop, in random runs', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  async function work(attempt: Attempt): Promise<void> {
    if (attempt.does === 'block') clock.jump(attempt.milliseconds);
    else if (attempt.milliseconds > 0) await sleep(attempt.milliseconds);
    if (attempt.does === 'fail') throw new Error('no such user');
    if (attempt.does === 'retry') throw new TransientError();
    if (attempt.does === 'retry later') throw new TransientError({ delay: attempt.delay });
  }

  /** Runs a consumer, stops it after this time, and waits until it has drained. */
  async function consume(consumer: Consumer, milliseconds: number): Promise<void> {
    let ended = false;
    const run = consumer.run().then(() => {
      ended = true;
    });
    await clock.tickAsync(milliseconds);
    consumer.stop();
    // Workers that block the process use up the time of a tick.
    for (let tick = 0; tick < 10 && !ended; tick += 1) await clock.tickAsync(60_000);
    expect(ended, 'the drain ends').to.equal(true);
    await run;
  }

  /** Runs a consumer and stops it, then runs one without faults until the queue is empty. */
  async function play({ names, messages, attempts, faults, options, stopAfterMs }: Run): Promise<Played> {
    const broker = new MemoryBroker();
    const open = async (name: string) => new FaultyQueue(await broker.open(name));
    const queues = await Promise.all(names.map(open));
    const deadLetterQueue = await open('failed');
    const fates = new Map<string, Fate>();
    const firstSuccesses: string[] = [];
    for (const [index, queue] of queues.entries()) {
      const bodies = Array.from(
        { length: messages },
        (_, number) => `${'abc'[number % 3]}${index}-${number}`,
      );
      for (const body of bodies) fates.set(body, { attempts: 0, succeeded: false, failed: false });
      await sendTo(queue, bodies);
      queue.ail({ ...faults, send: [] });
    }
    deadLetterQueue.ail({ send: faults.send });

    let attempted = 0;
    const worker = (next: () => Attempt) => ({
      async handleMessage({ body }: { body: string }) {
        const fate = fates.get(body)!;
        fate.attempts += 1;
        try {
          await work(next());
          if (!fate.succeeded) firstSuccesses.push(body);
          fate.succeeded = true;
        } catch (error) {
          fate.failed ||= !(error instanceof TransientError);
          throw error;
        }
      },
    });
    const weighted = queues.map((queue) => ({ queue, weight: 1 }));
    const settings = { ...options, deadLetterQueue };
    const consumer = await openConsumer(
      weighted,
      worker(() => {
        attempted += 1;
        // A consumer that is blocked forever could do nothing else.
        return attempted > 200 ? AT_ONCE : attempts[attempted % attempts.length]!;
      }),
      settings,
      {
        failed: (delivery, error) => {
          if (!(error instanceof TransientError)) fates.get(delivery.message.body)!.failed = true;
        },
      },
    );
    await consume(consumer, stopAfterMs);
    // Workers that did not end during the drain end now.
    await clock.tickAsync(60_000);
    expect(consumer.held, 'held after the drain').to.equal(0);
    expect(clock.countTimers(), 'timers after the drain').to.equal(0);

    // The next process, without faults, handles what is left.
    for (const queue of [...queues, deadLetterQueue]) queue.heal();
    const later = await openConsumer(
      weighted,
      worker(() => AT_ONCE),
      settings,
    );
    await clock.tickAsync(60_000);
    await consume(later, 120_000);
    for (const queue of queues) {
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    }
    const buried = await bodiesIn(deadLetterQueue);
    return { fates, firstSuccesses, buried };
  }

  it('handle each message at least once or leave it, and hold nothing at the end', async () => {
    const check = async (given: Run) => {
      const { fates, firstSuccesses, buried } = await play(given);
      const { onError } = given.options;
      for (const [body, { succeeded, failed }] of fates) {
        const mayBeGone = succeeded || (failed && (onError === 'delete' || buried.has(body)));
        expect(mayBeGone, `${body} is gone, and was neither handled nor failed for good`).to.equal(true);
      }
      for (const body of buried) expect(fates.get(body)!.failed, `${body} was buried`).to.equal(true);
      if (onError === 'retry') expectOrder(firstSuccesses, given.names);
    };
    await fc.assert(fc.asyncProperty(run, check), { numRuns: 300 });
  }).timeout(60_000);

  it('handle each message at most once with delete_on_start, exactly once if all deletes get a response', async () => {
    const check = async (given: Run) => {
      const { fates } = await play({ ...given, options: { ...given.options, deleteOnStart: true } });
      const answered = given.faults.delete.every((fault) => {
        if ('milliseconds' in fault) return fault.milliseconds < 500;
        return !('error' in fault && fault.worked);
      });
      for (const [body, { attempts }] of fates) {
        expect(attempts, body).to.be.within(answered ? 1 : 0, 1);
      }
    };
    await fc.assert(fc.asyncProperty(run, check), { numRuns: 300 });
  }).timeout(60_000);
});

/** The bodies of all messages in a standard queue. */
async function bodiesIn(queue: FaultyQueue): Promise<Set<string>> {
  const bodies = new Set<string>();
  for (;;) {
    const messages = await queue.receive({ max: 10, waitSeconds: 0 });
    if (messages.length === 0) return bodies;
    for (const { body } of messages) bodies.add(body);
  }
}

/** FIFO: checks that the first successes in each group are in the order sent. */
function expectOrder(successes: readonly string[], names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    if (!name.endsWith('.fifo')) continue;
    for (const group of 'abc') {
      const numbers = successes
        .filter((body) => body.startsWith(`${group}${index}-`))
        .map((body) => Number(body.split('-')[1]));
      expect(numbers, `the order of group ${group}`).to.deep.equal(numbers.toSorted((a, b) => a - b));
    }
  }
}
