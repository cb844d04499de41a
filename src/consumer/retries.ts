/** What failed and waits to be tried again, after pauses that grow. */
import { retryPause } from './pauses.ts';

export class Retries<Entry> {
  readonly #again: (entry: Entry) => void;
  readonly #waiting = new Map<Entry, NodeJS.Timeout>();

  /** `again` gets each entry when its pause is over. */
  constructor(again: (entry: Entry) => void) {
    this.#again = again;
  }

  /** Takes an entry that failed for the `failures`th time. */
  add(entry: Entry, failures: number): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(entry);
      this.#again(entry);
    }, retryPause(failures));
    this.#waiting.set(entry, timer);
  }

  /** Removes and returns what waits. */
  takeAll(): Entry[] {
    const entries = [...this.#waiting.keys()];
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    return entries;
  }
}
