/**
 * How long the messages of a queue take, and how long the network takes to bring more: what `demand.ts` decides from.
 * All times are in milliseconds.
 */

/** How much a new measurement counts in the average handling time. */
const SMOOTHING = 0.1;
/** How much of the longest time counts after one more message: of 2 s, 0.7 s after ten. */
const FADING = 0.9;
/** Samples needed before `slowestMs` is trusted. */
const ENOUGH = 3;
/** What a message costs besides its worker; keeps the average of no-op workers above 0. */
const OVERHEAD_MS = 0.05;
/**
 * A receive that took longer than this, and than twice what requests take that wait for nothing, has most likely waited
 * for a message.
 */
const SURELY_NETWORK_MS = 25;

export class Timings {
  #handlingMs: number | undefined;
  #slowestMs = 0;
  #measured = 0;
  #receiveMs: number | undefined;
  #requestMs: number | undefined;

  /** Notes how long a message kept its slot. */
  handled(milliseconds: number): void {
    const sample = milliseconds + OVERHEAD_MS;
    this.#handlingMs =
      this.#handlingMs === undefined ? sample : this.#handlingMs + SMOOTHING * (sample - this.#handlingMs);
    this.#slowestMs = Math.max(sample, this.#slowestMs * FADING);
    this.#measured += 1;
  }

  /** Notes how long a receive took that brought messages. */
  received(milliseconds: number): void {
    const networkMs = Math.min(milliseconds, Math.max(SURELY_NETWORK_MS, 2 * (this.#requestMs ?? 0)));
    this.#receiveMs = slowlyRising(this.#receiveMs, networkMs);
  }

  /** Notes how long a request took that waits for nothing, such as a delete. */
  answered(milliseconds: number): void {
    this.#requestMs = slowlyRising(this.#requestMs, milliseconds);
  }

  /** The average time that a message keeps its slot; undefined before the first is done. */
  get handlingMs(): number | undefined {
    return this.#handlingMs;
  }

  /** The longest time that one of the last messages kept its slot; undefined while there were few. */
  get slowestMs(): number | undefined {
    return this.#measured < ENOUGH ? undefined : this.#slowestMs;
  }

  /** How long a receive takes where messages are ready; undefined before the first one. An estimate, as it may have waited. */
  get receiveMs(): number | undefined {
    return this.#receiveMs;
  }
}

/** A duration after one more sample: it falls at once, for the shortest say what is possible. */
function slowlyRising(known: number | undefined, sample: number): number {
  return known === undefined ? sample : Math.min(sample, known * 1.2 + 0.1);
}
