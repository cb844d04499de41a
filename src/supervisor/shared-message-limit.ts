/**
 * A message limit that several processes have together: who may handle how many more. Pure counting, and exact: what is
 * left, what the processes have, and what is done add up to the limit at all times.
 */

export interface SharedMessageLimitOptions {
  /** How many messages in all. */
  readonly limit: number;
  /** How many processes share them. */
  readonly processes: number;
  /** How many messages a process handles at once. */
  readonly concurrency: number;
}

/** More than a process can handle at once would be of no use to it, and would be missing elsewhere. */
const MOST_AHEAD = 100;

export class SharedMessageLimit<Process> {
  readonly #options: SharedMessageLimitOptions;
  /** Given to nobody. */
  #left: number;
  /** What each process may handle and has not done yet. */
  readonly #given = new Map<Process, number>();
  #unfinished: number;

  constructor(options: SharedMessageLimitOptions) {
    this.#options = options;
    this.#left = options.limit;
    this.#unfinished = options.limit;
  }

  /** True once as many messages as the limit says are done. */
  get allDone(): boolean {
    return this.#unfinished === 0;
  }

  /** Fills up the share of a process; returns how many more it may handle now. */
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

  /** A process has done one of its messages. */
  done(process: Process): void {
    this.#given.set(process, (this.#given.get(process) ?? 0) - 1);
    this.#unfinished -= 1;
  }

  /** A process has ended: what it has not done is for the others. */
  ended(process: Process): void {
    this.#left += this.#given.get(process) ?? 0;
    this.#given.delete(process);
  }
}

/**
 * How many of the unfinished messages a process may have: half of its part, so that a fast process can have more of
 * them than a slow one, but as many as it can handle at once.
 *
 *     fairShare(600, 4, 10)   // 75
 *     fairShare(5000, 4, 10)  // 100: never more ahead
 *     fairShare(20, 2, 10)    // 10
 *     fairShare(5, 4, 10)     // 2
 *     fairShare(1, 4, 10)     // 1: the first to ask gets it
 */
export function fairShare(unfinished: number, processes: number, concurrency: number): number {
  const part = Math.ceil(unfinished / processes);
  return Math.min(part, Math.max(Math.min(Math.ceil(part / 2), MOST_AHEAD), concurrency));
}
