/** Limits how many calls of a task run at once, and how many start per period, in this process. */

export interface TaskLimits {
  /** Concurrent calls. Default: as many as the container runs. */
  readonly concurrency?: number;
  /** At most `count` starts in any `seconds`. Default: no limit. */
  readonly rate?: { readonly count: number; readonly seconds: number };
}

export class Limiter {
  readonly #limits: TaskLimits;
  #running = 0;
  /** When the last `rate.count` calls started, oldest first, in milliseconds of `performance.now()`. */
  readonly #starts: number[] = [];
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: TaskLimits) {
    this.#limits = limits;
  }

  /**
   * Runs `work` as soon as it may start; waiting calls start in order. Calls `signal` only if it has to wait: if that
   * signal aborts first, `work` does not run, and this rejects with the signal's reason.
   */
  run(work: () => void | Promise<void>, signal: () => AbortSignal): void | Promise<void> {
    const { concurrency, rate } = this.#limits;
    return concurrency === undefined && rate === undefined ? work() : this.#runInTurn(work, signal);
  }

  async #runInTurn(work: () => void | Promise<void>, signal: () => AbortSignal): Promise<void> {
    if (this.#waiting.length > 0 || this.#wait() > 0) await this.#turn(signal());
    else this.#start();
    try {
      await work();
    } finally {
      this.#running -= 1;
      this.#wake();
    }
  }

  /** Waits for this call's turn to start. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(signal.reason as Error);
      };
      const start = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave);
      this.#waiting.push(start);
      this.#wake();
    });
  }

  #start(): void {
    const { rate } = this.#limits;
    this.#running += 1;
    if (!rate) return;
    this.#starts.push(performance.now());
    if (this.#starts.length > rate.count) this.#starts.shift();
  }

  /** Milliseconds until a call may start; Infinity if another call has to end first. */
  #wait(): number {
    const { concurrency = Number.POSITIVE_INFINITY, rate } = this.#limits;
    if (this.#running >= concurrency) return Number.POSITIVE_INFINITY;
    if (!rate || this.#starts.length < rate.count) return 0;
    return Math.max(0, (this.#starts[0] ?? 0) + rate.seconds * 1000 - performance.now());
  }

  /** Starts the waiting calls that may start, and sets a timer for the next one. */
  #wake(): void {
    while (this.#waiting.length > 0 && this.#wait() === 0) {
      this.#start();
      this.#waiting.shift()?.();
    }
    const wait = this.#wait();
    if (this.#waiting.length === 0 || wait === Number.POSITIVE_INFINITY || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#wake();
    }, wait);
  }
}
