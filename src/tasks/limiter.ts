/** How many calls of a task may run at once, and how many may start in a time, in this process. */

export interface TaskLimits {
  /** Calls at once. Default: as many as the container runs. */
  readonly concurrency?: number;
  /** At most `count` starts in any `seconds`. Default: no limit. */
  readonly rate?: { readonly count: number; readonly seconds: number };
}

export class Limiter {
  readonly #limits: TaskLimits;
  #running = 0;
  /** When the last `rate.count` calls started, oldest first: milliseconds of `performance.now()`. */
  readonly #starts: number[] = [];
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: TaskLimits) {
    this.#limits = limits;
  }

  /**
   * Runs `work` when it may start; those that wait start in their order. `signal` is asked for if it has to wait: when
   * that aborts first, `work` is not run, and the signal's reason is thrown.
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

  /** Resolves when a call that has to wait has started. */
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

  /** Milliseconds until a call may start; infinity while only the end of another one helps. */
  #wait(): number {
    const { concurrency = Number.POSITIVE_INFINITY, rate } = this.#limits;
    if (this.#running >= concurrency) return Number.POSITIVE_INFINITY;
    if (!rate || this.#starts.length < rate.count) return 0;
    return Math.max(0, (this.#starts[0] ?? 0) + rate.seconds * 1000 - performance.now());
  }

  /** Starts those that wait as soon as they may. */
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
