/**
 * Divides a message limit among several processes. Pure and exact counting: the messages left, those granted to
 * processes and those done always add up to the limit.
 */

export interface SharedMessageLimitOptions {
  /** Messages in total. */
  readonly limit: number;
  /** Number of processes that share them. */
  readonly processes: number;
  /** Messages that a process handles at once. */
  readonly concurrency: number;
}

/** The most messages a process gets ahead of time, unless it handles more at once: the others must not run short. */
const MOST_AHEAD = 100;

export class SharedMessageLimit<Process> {
  readonly #options: SharedMessageLimitOptions;
  /** Not granted to any process. */
  #left: number;
  /** Messages granted to each process and not done yet. */
  readonly #given = new Map<Process, number>();
  #unfinished: number;

  constructor(options: SharedMessageLimitOptions) {
    this.#options = options;
    this.#left = options.limit;
    this.#unfinished = options.limit;
  }

  /** True once all messages of the limit are done. */
  get allDone(): boolean {
    return this.#unfinished === 0;
  }

  /** Tops up a process's share; returns how many more messages it may handle. */
  grant(process: Process): number {
    const { processes, concurrency } = this.#options;
    const given = this.#given.get(process) ?? 0;
    const more = Math.max(
      0,
      Math.min(this.#left, fairShare(this.#unfinished, processes, concurrency) - given),
    );
    this.#left -= more;
    this.#given.set(process, given + more);
    return more;
  }

  /** A process has finished a message. */
  done(process: Process): void {
    this.#given.set(process, (this.#given.get(process) ?? 0) - 1);
    this.#unfinished -= 1;
  }

  /** A process has exited: its unfinished messages are available to the others again. */
  ended(process: Process): void {
    this.#left += this.#given.get(process) ?? 0;
    this.#given.delete(process);
  }
}

/**
 * How many unfinished messages a process may have: half of an equal part, so that a fast process can get more than a
 * slow one, but at least as many as it handles at once.
 *
 *     fairShare(600, 4, 10)   // 75
 *     fairShare(5000, 4, 10)  // 100, the maximum
 *     fairShare(20, 2, 10)    // 10
 *     fairShare(5, 4, 10)     // 2
 *     fairShare(1, 4, 10)     // 1: the first to ask gets it
 */
export function fairShare(unfinished: number, processes: number, concurrency: number): number {
  const part = Math.ceil(unfinished / processes);
  return Math.min(part, Math.max(Math.min(Math.ceil(part / 2), MOST_AHEAD), concurrency));
}
