/** The calls that a database is at, so that closing it can let them end. */

export class CallsUnderWay {
  readonly #calls = new Set<Promise<unknown>>();

  /** Resolves or rejects as the call does. */
  async track<Result>(call: Promise<Result>): Promise<Result> {
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Resolves when no call is left, those included that begin meanwhile. */
  async ended(): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
  }
}
