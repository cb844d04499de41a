/** Wakes the receives that wait: at once for what this process does, and through a watch for what others do. */
import { LONGEST_TIMER_MS } from './longest-timer.ts';

/**
 * Calls `changed` when other processes may have changed something (in one queue, or without a name in any), until the
 * returned function is called. Never at once.
 */
export type Watch = (changed: (queue?: string) => void) => () => void;

interface Listener {
  readonly queue: string;
  readonly wake: () => void;
}

export class News {
  readonly #watch: Watch;
  readonly #listeners = new Set<Listener>();
  #count = 0;
  #isClosed = false;
  #stopWatching: (() => void) | undefined;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /** How often there were news: to be read before looking for messages, and given to `next`. */
  get count(): number {
    return this.#count;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** There may be messages in this queue; in any, without a name. */
  announce(queue?: string): void {
    this.#count += 1;
    for (const listener of this.#listeners) {
      if (queue === undefined || listener.queue === queue) listener.wake();
    }
  }

  /** Resolves after `milliseconds`, or earlier at news of the queue, at an abort, or if there were news since `count`. */
  next(queue: string, count: number, milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (this.#isClosed || this.#count !== count || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        this.#listeners.delete(listener);
        this.#watchIfNeeded();
        resolve();
      };
      const listener = { queue, wake };
      const timer = setTimeout(wake, Math.min(milliseconds, LONGEST_TIMER_MS));
      signal?.addEventListener('abort', wake);
      this.#listeners.add(listener);
      this.#watchIfNeeded();
    });
  }

  /** Wakes all, for the last time. */
  close(): void {
    this.#isClosed = true;
    this.announce();
  }

  #watchIfNeeded(): void {
    if (this.#listeners.size > 0) {
      this.#stopWatching ??= this.#watch((queue) => this.announce(queue));
    } else {
      this.#stopWatching?.();
      this.#stopWatching = undefined;
    }
  }
}
