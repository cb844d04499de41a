/** How long the network takes for a receive: an estimate, because a receive may have waited for messages, too. */

/**
 * A receive that took longer than this, in milliseconds, and than twice what requests take that wait for nothing, has most
 * likely waited for a message.
 */
const SURELY_NETWORK_MS = 25;

export class NetworkTime {
  #receiveMs: number | undefined;
  #requestMs: number | undefined;

  /** How long a receive takes where messages are ready, in milliseconds; undefined before the first one. */
  get receiveMs(): number | undefined {
    return this.#receiveMs;
  }

  /** Notes how long a receive took that brought messages, in milliseconds. */
  received(milliseconds: number): void {
    const networkMs = Math.min(milliseconds, Math.max(SURELY_NETWORK_MS, 2 * (this.#requestMs ?? 0)));
    this.#receiveMs = slowlyRising(this.#receiveMs, networkMs);
  }

  /** Notes how long a request took that waits for nothing, such as a delete, in milliseconds. */
  answered(milliseconds: number): void {
    this.#requestMs = slowlyRising(this.#requestMs, milliseconds);
  }
}

/** A duration after one more sample: it falls at once, for the shortest say what is possible. */
function slowlyRising(known: number | undefined, sample: number): number {
  return known === undefined ? sample : Math.min(sample, known * 1.2 + 0.1);
}
