/** Wakes pending long polls: at once for changes in this process, and through a watcher for those of other processes. */

/** Node's longest timer, in milliseconds: some 24 days. A longer one would end at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls `changed` when other processes may have changed something (in one queue, or without a name in any), until the
 * returned function is called. Never at once.
 */
export type Watch = (changed: (queue?: string) => void) => () => void;

interface Wait {
  /** What `wakeUps` was before the look that found no message. */
  readonly wakeUps: number;
  readonly milliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

interface Poll {
  readonly queue: string;
  readonly wake: () => void;
}

export class PendingPolls {
  readonly #watch: Watch;
  readonly #polls = new Set<Poll>();
  #wakeUps = 0;
  #isClosed = false;
  #stopWatching: (() => void) | undefined;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /** How often polls were woken: to be read before looking for messages, and given to `wait`. */
  get wakeUps(): number {
    return this.#wakeUps;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** There may be messages in this queue; in any, without a name. */
  wake(queue?: string): void {
    this.#wakeUps += 1;
    for (const poll of this.#polls) {
      if (queue === undefined || poll.queue === queue) poll.wake();
    }
  }

  /** Resolves after `milliseconds`, or earlier: when woken, at an abort, or if there was a wake-up since `wakeUps`. */
  wait(queue: string, { wakeUps, milliseconds, signal }: Wait): Promise<void> {
    if (this.#isClosed || this.#wakeUps !== wakeUps || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#polls.delete(poll);
        this.#watchIfNeeded();
        resolve();
      };
      const poll = { queue, wake };
      const timer = setTimeout(wake, Math.min(milliseconds, LONGEST_TIMER_MS));
      signal?.addEventListener('abort', wake);
      this.#polls.add(poll);
      this.#watchIfNeeded();
    });
  }

  /** Wakes all, for the last time. */
  close(): void {
    this.#isClosed = true;
    this.wake();
  }

  #watchIfNeeded(): void {
    if (this.#polls.size > 0) {
      this.#stopWatching ??= this.#watch((queue) => this.wake(queue));
    } else {
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    }
  }
}
