/**
 * The message counts of the queues. They are requested at most every five seconds, and only when needed for a response,
 * because on SQS each request costs money.
 */
import type { Queue, QueueCounts } from '../../brokers/broker.ts';
import { realMachine, resolvesWithin } from '../../host/host.ts';

const EVERY_MS = 5_000;
/** Older counts are not shown. */
const OUTDATED_MS = 30_000;
/** How long a response waits for the broker, in milliseconds. */
const PATIENCE_MS = 1_500;

/** The message counts of each queue for which they are known, by its name. */
export type Depths = Readonly<Record<string, QueueCounts>>;

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

  /** `queues` may fail; it is then called again at the next look. */
  constructor(queues: () => Promise<readonly Queue[]>) {
    this.#queues = queues;
  }

  /** Requests the counts, unless it did so recently; resolves when they have arrived, or after a short wait. */
  async look(): Promise<void> {
    if (performance.now() - this.#askedAt >= EVERY_MS) {
      this.#askedAt = performance.now();
      this.#asking = this.#ask();
    }
    await resolvesWithin(realMachine, this.#asking, PATIENCE_MS);
  }

  /** Counts by queue name, without queues that have not answered recently. */
  get known(): Depths {
    const now = performance.now();
    return Object.fromEntries(
      [...this.#known].flatMap(([name, { counts, at }]) => (now - at < OUTDATED_MS ? [[name, counts]] : [])),
    );
  }

  /** Why the last request failed; undefined if it did not. */
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
