/** How far something has come, how fast it goes, and how long it will take. */

export interface Pace {
  readonly done: number;
  readonly total: number;
  /** Per second, of late. Negative while more comes in than goes. */
  readonly rate: number;
  /** Undefined while it does not go forward. */
  readonly secondsLeft: number | undefined;
}

interface Sample {
  readonly left: number;
  /** Milliseconds. */
  readonly at: number;
}

/** What is older says little of how fast it goes now. */
const WINDOW_MS = 60_000;

/**
 * Keeps what was left at each look, of the last minute.
 *
 *     const pacer = new Pacer();
 *     pacer.look(100, 0);
 *     pacer.look(80, 10_000);    // { done: 20, total: 100, rate: 2, secondsLeft: 40 }
 */
export class Pacer {
  #samples: Sample[] = [];
  #total = 0;

  /** `left` is what is still to be done, `now` in milliseconds. More may be left than before: then the total was more. */
  look(left: number, now: number): Pace {
    this.#total = Math.max(this.#total, left);
    this.#samples = [...this.#samples.filter(({ at }) => now - at <= WINDOW_MS), { left, at: now }];
    const [first] = this.#samples as [Sample, ...Sample[]];
    const rate = now > first.at ? ((first.left - left) / (now - first.at)) * 1000 : 0;
    return {
      done: this.#total - left,
      total: this.#total,
      rate,
      secondsLeft: left === 0 ? 0 : rate > 0 ? left / rate : undefined,
    };
  }
}
