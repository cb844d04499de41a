/**
 * Whose turn it is: shares the slots among queues by their weights (stride scheduling). A queue of weight 3 gets three
 * slots for each one of a queue of weight 1, as long as both have messages; what one does not use is the other's.
 */
import type { Delivery } from './delivery.ts';
import type { Source } from './source.ts';

export class Turns {
  readonly #sources: readonly Source[];
  /** How much each has had, by its weight. */
  readonly #had = new Map<Source, number>();
  /** How much those had that were served last: who comes back from having nothing does not catch up. */
  #now = 0;

  constructor(sources: readonly Source[]) {
    this.#sources = sources;
  }

  /** The next message to run, if one may. */
  next(): Delivery | undefined {
    const waiting = this.#sources.filter(({ waiting: { size } }) => size > 0);
    waiting.sort((a, b) => this.#served(a) - this.#served(b));
    for (const source of waiting) {
      const delivery = source.waiting.take();
      if (!delivery) continue;
      this.#now = this.#served(source);
      this.#had.set(source, this.#now + 1 / source.weight);
      return delivery;
    }
    return undefined;
  }

  #served(source: Source): number {
    return Math.max(this.#had.get(source) ?? 0, source.running > 0 ? 0 : this.#now);
  }
}
