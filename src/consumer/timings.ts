/**
 * Measures how long the messages of a queue take, and how long the network takes to deliver more. `demand.ts` decides
 * with these numbers. All times are in milliseconds.
 */

/** The weight of a new sample in the average handling time. */
const SMOOTHING = 0.1;
/** The share of the longest time that remains after each message: 2 s fade to 0.7 s after ten. */
const FADING = 0.9;
/** Samples needed before `slowestMs` is trusted. */
const ENOUGH = 3;
/** The cost of a message besides its worker; keeps the average for no-op workers above 0. */
const OVERHEAD_MS = 0.05;
/**
 * A receive that took longer than this, and longer than twice a request that does not wait, has most likely waited for
 * a message.
 */
const SURELY_NETWORK_MS = 25;

export class Timings {
  #handlingMs: number | undefined;
  #slowestMs = 0;
  #measured = 0;
  #receiveMs: number | undefined;
  #requestMs: number | undefined;

  /** Records how long a message kept its slot. */
  handled(milliseconds: number): void {
    const sample = milliseconds + OVERHEAD_MS;
    this.#handlingMs =
      this.#handlingMs === undefined ? sample : this.#handlingMs + SMOOTHING * (sample - this.#handlingMs);
    this.#slowestMs = Math.max(sample, this.#slowestMs * FADING);
    this.#measured += 1;
  }

  /** Records how long a receive with messages took. */
  received(milliseconds: number): void {
    const networkMs = Math.min(milliseconds, Math.max(SURELY_NETWORK_MS, 2 * (this.#requestMs ?? 0)));
    this.#receiveMs = slowlyRising(this.#receiveMs, networkMs);
  }

  /** Records how long a request that does not wait, such as a delete, took. */
  answered(milliseconds: number): void {
    this.#requestMs = slowlyRising(this.#requestMs, milliseconds);
  }

  /** The average time that a message keeps its slot; undefined until the first one finishes. */
  get handlingMs(): number | undefined {
    return this.#handlingMs;
  }

  /** The longest time that a recent message kept its slot; undefined until there are enough samples. */
  get slowestMs(): number | undefined {
    return this.#measured < ENOUGH ? undefined : this.#slowestMs;
  }

  /** How long a receive takes if messages are ready; undefined until the first. An estimate: it may have waited. */
  get receiveMs(): number | undefined {
    return this.#receiveMs;
  }
}

/** Updates a duration with a new sample. It falls immediately and rises slowly: the shortest show what is possible. */
function slowlyRising(known: number | undefined, sample: number): number {
  return known === undefined ? sample : Math.min(sample, known * 1.2 + 0.1);
}
