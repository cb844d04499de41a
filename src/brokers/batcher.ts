/**
 * Collects single entries into batch requests as large as the queue allows: for deletes, visibility changes and sends.
 *
 * A full batch is sent immediately: it has the maximum number of entries, or the next entry would exceed the maximum size.
 * A partial batch waits `delayMs` for more entries. With a delay of 0 it is sent as soon as the currently running code
 * yields, or, if another partial batch is in progress, when that one has been answered, or has not been for half a second:
 * an entry must not wait for a request that hangs.
 */
import { type Machine, realMachine, type Timer } from '../host/host.ts';

export interface BatcherOptions<Entry> {
  /** The longest time an entry waits for more entries, in milliseconds. */
  readonly delayMs: number;
  /** The maximum number of entries in a request: the queue's `limits.maxBatch`. */
  readonly maxEntries: number;
  /** Sends 1 to `maxEntries` entries. Must not reject: it retries or reports failures itself. */
  readonly send: (entries: Entry[]) => Promise<void>;
  /** The size of an entry and the maximum size of a request, in bytes. Default: no limit. */
  readonly bytes?: { readonly of: (entry: Entry) => number; readonly max: number };
  /** Provides the timers. Default: the real ones. */
  readonly machine?: Pick<Machine, 'setTimeout' | 'clearTimeout'>;
}

/** How long entries without a delay wait for another partial batch, in milliseconds. */
const LONGEST_WAIT_MS = 500;

export class Batcher<Entry> {
  readonly #options: BatcherOptions<Entry>;
  readonly #machine: Pick<Machine, 'setTimeout' | 'clearTimeout'>;
  readonly #inProgress = new Set<Promise<void>>();
  #pending: Entry[] = [];
  #pendingBytes = 0;
  #timer: Timer | undefined;
  #sendsSoon = false;
  #partialsInProgress = 0;

  constructor(options: BatcherOptions<Entry>) {
    this.#options = options;
    this.#machine = options.machine ?? realMachine;
  }

  add(entry: Entry): void {
    const { bytes } = this.#options;
    const size = bytes?.of(entry) ?? 0;
    if (bytes && this.#pending.length > 0 && this.#pendingBytes + size > bytes.max) {
      this.#send('full');
    }
    this.#pending.push(entry);
    this.#pendingBytes += size;
    if (this.#pending.length === this.#options.maxEntries) this.#send('full');
    else this.#sendLater();
  }

  /** Sends all collected entries. Resolves when every request has been answered and no entry is left. */
  async flush(): Promise<void> {
    while (this.#pending.length > 0 || this.#inProgress.size > 0) {
      if (this.#pending.length > 0) this.#send('partial');
      await Promise.all(this.#inProgress);
    }
  }

  /** Drops all collected entries, and clears the timer. */
  drop(): void {
    this.#takePending();
  }

  #sendLater(): void {
    if (this.#timer !== undefined || this.#sendsSoon) return;
    const { delayMs } = this.#options;
    if (delayMs > 0 || this.#partialsInProgress > 0) {
      this.#timer = this.#machine.setTimeout(() => this.#send('partial'), delayMs || LONGEST_WAIT_MS);
    } else {
      this.#sendsSoon = true;
      // Not queueMicrotask: a fake clock would delay it, but this does not wait for time to pass.
      void Promise.resolve().then(() => {
        if (this.#sendsSoon) this.#send('partial');
      });
    }
  }

  #send(batch: 'full' | 'partial'): void {
    const entries = this.#takePending();
    if (batch === 'partial') this.#partialsInProgress += 1;
    const request = this.#options.send(entries).finally(() => {
      this.#inProgress.delete(request);
      if (batch === 'partial') this.#partialsInProgress -= 1;
      if (this.#pending.length === 0) return;
      if (this.#options.delayMs === 0 && this.#partialsInProgress === 0) {
        this.#machine.clearTimeout(this.#timer);
        this.#timer = undefined;
      }
      this.#sendLater();
    });
    this.#inProgress.add(request);
  }

  #takePending(): Entry[] {
    const entries = this.#pending;
    this.#machine.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sendsSoon = false;
    this.#pending = [];
    this.#pendingBytes = 0;
    return entries;
  }
}
