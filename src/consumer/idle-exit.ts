/** Ends a run after so long without a message: one timer that looks back, instead of one moved at each message. */

export interface IdleExitOptions {
  /** Seconds without a message; undefined: never. */
  readonly seconds: number | undefined;
  /** True while there is something to do, however long it takes. */
  readonly isBusy: () => boolean;
  /** Called once. */
  readonly onIdle: () => void;
}

export class IdleExit {
  readonly #options: IdleExitOptions;
  #activeAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: IdleExitOptions) {
    this.#options = options;
  }

  start(): void {
    this.active();
    if (this.#options.seconds !== undefined) this.#check(this.#options.seconds * 1000);
  }

  /** A message came or was done. */
  active(): void {
    this.#activeAt = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #check(idleMs: number, afterMs = idleMs): void {
    this.#timer = setTimeout(() => {
      if (this.#options.isBusy()) this.active();
      const leftMs = this.#activeAt + idleMs - performance.now();
      if (leftMs <= 0) this.#options.onIdle();
      else this.#check(idleMs, leftMs);
    }, afterMs);
  }
}
