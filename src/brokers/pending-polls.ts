/** Wakes pending long polls: immediately for changes in this process, through a watcher for other processes. */
import { type Machine, realMachine } from '../host/host.ts';

/** Node's longest timer, in milliseconds: about 24 days. A longer timer would fire immediately. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls `changed` when other processes may have changed the given queue, or any queue if no name is given, until the
 * returned function is called. Never calls it synchronously.
 */
export type Watch = (changed: (queue?: string) => void) => () => void;

interface Wait {
  /** The value of `wakeUps` before the receive that found no messages. */
  readonly wakeUps: number;
  readonly milliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

interface Poll {
  readonly queue: string;
  readonly wake: () => void;
}

type Timers = Pick<Machine, 'setTimeout' | 'clearTimeout'>;

export class PendingPolls {
  readonly #watch: Watch;
  readonly #machine: Timers;
  readonly #polls = new Set<Poll>();
  #wakeUps = 0;
  #isClosed = false;
  #stopWatching: (() => void) | undefined;

  constructor(watch: Watch, machine: Timers = realMachine) {
    this.#watch = watch;
    this.#machine = machine;
  }

  /** How many times polls were woken. Read it before looking for messages, and pass it to `wait`. */
  get wakeUps(): number {
    return this.#wakeUps;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Wakes the polls on this queue, or on all queues if no name is given: there may be messages. */
  wake(queue?: string): void {
    this.#wakeUps += 1;
    for (const poll of this.#polls) {
      if (queue === undefined || poll.queue === queue) poll.wake();
    }
  }

  /** Resolves after `milliseconds`, or earlier: when woken, when aborted, or if there was a wake-up since `wakeUps`. */
  wait(queue: string, { wakeUps, milliseconds, signal }: Wait): Promise<void> {
    if (this.#isClosed || this.#wakeUps !== wakeUps || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#machine.clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#polls.delete(poll);
        this.#watchIfNeeded();
        resolve();
      };
      const poll = { queue, wake };
      const timer = this.#machine.setTimeout(wake, Math.min(milliseconds, LONGEST_TIMER_MS));
      signal?.addEventListener('abort', wake);
      this.#polls.add(poll);
      this.#watchIfNeeded();
    });
  }

  /** Wakes all polls for good: from now on, none waits. */
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
