// Random runs of several processes, some of which are killed: their messages arrive again, once and in order.
import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import type { Queue } from '../../src/brokers/broker.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { FaultyQueue, sleep } from '../support/faulty-queue.ts';
import { openConsumer, sendTo } from './running.ts';

const VISIBILITY_TIMEOUT = 5;
const GROUPS = 'abc';

interface Run {
  readonly name: string;
  readonly messages: number;
  /** When each process is killed, in milliseconds. */
  readonly kills: readonly number[];
  /** How long the messages take, one after another, in milliseconds. */
  readonly handlings: readonly number[];
  readonly slots: number;
  readonly prefetch: number | 'auto';
}

const run: fc.Arbitrary<Run> = fc.record({
  name: fc.constantFrom('work', 'work.fifo'),
  messages: fc.integer({ min: 1, max: 40 }),
  kills: fc.array(fc.oneof(fc.nat(200), fc.nat(20_000)), { minLength: 1, maxLength: 4 }),
  handlings: fc.array(fc.oneof(fc.nat(50), fc.nat(12_000)), { minLength: 1, maxLength: 20 }),
  slots: fc.constantFrom(1, 3, 8),
  prefetch: fc.constantFrom('auto' as const, 0, 10),
});

describe('the run loop, in several processes, some of which are killed', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('handles each message once, plus at most once per kill, and keeps the order of groups', async () => {
    const check = async ({ name, messages, kills, handlings, slots, prefetch }: Run) => {
      const shared = await new MemoryBroker().open(name);
      const bodies = Array.from({ length: messages }, (_, number) => `${GROUPS[number % 3]}${number}`);
      await sendTo(new FaultyQueue(shared), bodies);
      const attempts = new Map(bodies.map((body) => [body, 0]));
      const handled: string[] = [];
      let attempted = 0;
      const start = async (life: Life) => {
        const worker = {
          async handleMessage({ body }: { readonly body: string }) {
            attempts.set(body, attempts.get(body)! + 1);
            attempted += 1;
            await sleep(handlings[attempted % handlings.length]!);
            if (life.isOver) await never();
            handled.push(body);
          },
        };
        const options = { visibilityTimeout: VISIBILITY_TIMEOUT, concurrency: slots, prefetch };
        const queue = mortal(shared, life);
        const consumer = await openConsumer([{ queue, weight: 1 }], worker, options);
        return { consumer, run: consumer.run() };
      };

      for (const milliseconds of kills) {
        const life = { isOver: false };
        const { run } = await start(life);
        run.catch(() => {});
        setTimeout(() => {
          life.isOver = true;
        }, milliseconds);
      }
      const survivor = await start({ isOver: false });
      for (let minute = 0; minute < 20 && handled.length < messages; minute += 1) {
        await clock.tickAsync(60_000);
      }
      await clock.tickAsync(60_000);
      survivor.consumer.stop();
      await clock.tickAsync(60_000);
      await survivor.run;

      expect(new Set(handled)).to.deep.equal(new Set(bodies));
      expect(await shared.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
      for (const [body, times] of attempts) expect(times, body).to.be.within(1, 1 + kills.length);
      if (shared.fifo) expectOrder(handled);
    };
    await fc.assert(fc.asyncProperty(run, check), { numRuns: 200 });
  }).timeout(60_000);
});

interface Life {
  isOver: boolean;
}

/** The queue, for a process that may be killed: after that its requests have no effect and get no response. */
function mortal(queue: Queue, life: Life): Queue {
  const alive = async <Result>(request: () => Promise<Result>): Promise<Result> => {
    if (life.isOver) await never();
    const result = await request();
    if (life.isOver) await never();
    return result;
  };
  const { name, fifo, visibilityTimeout, contentBasedDeduplication, limits } = queue;
  return {
    ...{ name, fifo, visibilityTimeout, contentBasedDeduplication, limits, abortsReceives: false },
    receive: (options) => alive(() => queue.receive(options)),
    send: (messages) => alive(() => queue.send(messages)),
    delete: (receiptHandles) => alive(() => queue.delete(receiptHandles)),
    changeVisibility: (changes) => alive(() => queue.changeVisibility(changes)),
    counts: () => alive(() => queue.counts()),
    purge: () => alive(() => queue.purge()),
  };
}

function never(): Promise<never> {
  return new Promise(() => {});
}

/** Checks that within each group, messages were first handled in the order sent. */
function expectOrder(handled: readonly string[]): void {
  for (const group of GROUPS) {
    const numbers = [...new Set(handled)]
      .filter((body) => body.startsWith(group))
      .map((body) => Number(body.slice(1)));
    expect(numbers, `group ${group}`).to.deep.equal(numbers.toSorted((one, other) => one - other));
  }
}
