/**
 * Whose turn it is: shares the slots among queues by their weights (stride scheduling). A queue of weight 3 gets three
 * slots for each one of a queue of weight 1, as long as both have messages; what one does not use is the other's.
 */
import type { Delivery } from './delivery.ts';
import type { Source } from './source.ts';

/** A queue that had nothing to run for a while does not catch up, but for one round: as many turns as its weight. */
const ROUND = 1;

export class Turns {
  /** Those that had the least for their weight come first. */
  readonly #sources: Source[];
  /** How much each has had, in rounds. */
  readonly #had = new Map<Source, number>();
  /** How much those have had that always have something to run. */
  #now = 0;

  constructor(sources: readonly Source[]) {
    this.#sources = [...sources];
  }

  /** The next message to run, if one may. */
  next(): Delivery | undefined {
    this.#sources.sort((one, other) => this.#hadBy(one) - this.#hadBy(other));
    for (const source of this.#sources) {
      const delivery = source.waiting.take();
      if (!delivery) continue;
      const had = this.#hadBy(source);
      this.#now = Math.max(this.#now, had);
      this.#had.set(source, had + ROUND / source.weight);
      return delivery;
    }
    return undefined;
  }

  /** The part of the slots that is a queue's now, among those that have something to run: above 0, up to 1. */
  shareOf(source: Source): number {
    let weights = source.weight;
    for (const other of this.#sources) if (other !== source && other.active) weights += other.weight;
    return source.weight / weights;
  }

  /** How many messages of other queues could start now. */
  readyBeside(source: Source): number {
    let ready = 0;
    for (const other of this.#sources) if (other !== source) ready += other.waiting.ready;
    return ready;
  }

  #hadBy(source: Source): number {
    return Math.max(this.#had.get(source) ?? 0, this.#now - ROUND);
  }
}
