/**
 * How many messages the queues have, for those who look: asked of the broker at most every five seconds, and never while
 * nobody looks, because on SQS each question is a request that costs.
 */
import type { Queue, QueueCounts } from '../../brokers/broker.ts';
import { realMachine, resolvesWithin } from '../../host/host.ts';
import type { Depths } from './history.ts';

const EVERY_MS = 5_000;
/** What is older than this is not shown: it says nothing of now. */
const OUTDATED_MS = 30_000;
/** How long who looks waits for an answer, in milliseconds. */
const PATIENCE_MS = 1_500;

interface Known {
  readonly counts: QueueCounts;
  readonly at: number;
}

export class QueueDepths {
  readonly #queues: () => Promise<readonly Queue[]>;
  readonly #known = new Map<string, Known>();
  #problem: string | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> = Promise.resolve();

  /** `queues` may fail: it is called again when somebody looks again. */
  constructor(queues: () => Promise<readonly Queue[]>) {
    this.#queues = queues;
  }

  /** Asks, unless it did so a moment ago; resolves when the answer is there, or does not come soon. */
  async look(): Promise<void> {
    if (performance.now() - this.#askedAt >= EVERY_MS) {
      this.#askedAt = performance.now();
      this.#asking = this.#ask();
    }
    await resolvesWithin(realMachine, this.#asking, PATIENCE_MS);
  }

  /** By name of the queue; those that did not answer lately are left out. */
  get known(): Depths {
    const now = performance.now();
    return Object.fromEntries(
      [...this.#known].flatMap(([name, { counts, at }]) => (now - at < OUTDATED_MS ? [[name, counts]] : [])),
    );
  }

  /** Why the last question was not answered; undefined if it was. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async #ask(): Promise<void> {
    try {
      const queues = await this.#queues();
      await Promise.all(
        queues.map(async (queue) =>
          this.#known.set(queue.name, { counts: await queue.counts(), at: performance.now() }),
        ),
      );
      this.#problem = undefined;
    } catch (error) {
      this.#problem = (error as Error).message;
    }
  }
}
