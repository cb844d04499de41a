/**
 * Gathers single entries into requests of as many as the queue takes: deletes, changes of visibility and sends go through
 * one of these.
 *
 * A full batch leaves at once: it has the most entries, or the next would be too many bytes. A partial one waits `delayMs`
 * for company; with a delay of 0 it leaves as soon as what is running now is done, or, if another partial one is under
 * way, when that has been answered.
 */
import { type Machine, realMachine, type Timer } from '../host/host.ts';
import { BATCH_ENTRIES } from './rules/limits.ts';

export interface BatcherOptions<Entry> {
  /** The longest that an entry waits for others, in milliseconds. */
  readonly delayMs: number;
  /** The most entries of a request: the queue's `limits.maxBatch`. Default: 10, which every queue takes. */
  readonly maxEntries?: number;
  /** Sends 1 to `maxEntries` entries. Must not reject: what fails is the sender's to retry or report. */
  readonly send: (entries: Entry[]) => Promise<void>;
  /** The size of an entry in bytes, and the most bytes of a request. Default: no bound. */
  readonly bytes?: { readonly of: (entry: Entry) => number; readonly max: number };
  /** Has the timers. Default: this machine. */
  readonly machine?: Pick<Machine, 'setTimeout' | 'clearTimeout'>;
}

export class Batcher<Entry> {
  readonly #options: BatcherOptions<Entry>;
  readonly #machine: Pick<Machine, 'setTimeout' | 'clearTimeout'>;
  readonly #underWay = new Set<Promise<void>>();
  #gathered: Entry[] = [];
  #gatheredBytes = 0;
  #timer: Timer | undefined;
  #leavesSoon = false;
  #partialsUnderWay = 0;

  constructor(options: BatcherOptions<Entry>) {
    this.#options = options;
    this.#machine = options.machine ?? realMachine;
  }

  add(entry: Entry): void {
    const { bytes } = this.#options;
    const size = bytes?.of(entry) ?? 0;
    if (bytes && this.#gathered.length > 0 && this.#gatheredBytes + size > bytes.max) {
      this.#send('full');
    }
    this.#gathered.push(entry);
    this.#gatheredBytes += size;
    if (this.#gathered.length === (this.#options.maxEntries ?? BATCH_ENTRIES)) this.#send('full');
    else this.#sendLater();
  }

  /** Sends what has gathered, and resolves when every request has been answered and nothing is left. */
  async flush(): Promise<void> {
    while (this.#gathered.length > 0 || this.#underWay.size > 0) {
      if (this.#gathered.length > 0) this.#send('partial');
      await Promise.all(this.#underWay);
    }
  }

  #sendLater(): void {
    if (this.#timer !== undefined || this.#leavesSoon) return;
    if (this.#options.delayMs > 0) {
      this.#timer = this.#machine.setTimeout(() => this.#send('partial'), this.#options.delayMs);
    } else if (this.#partialsUnderWay === 0) {
      this.#leavesSoon = true;
      // Not queueMicrotask: a fake clock would hold that back, and this waits for no time.
      void Promise.resolve().then(() => {
        if (this.#leavesSoon) this.#send('partial');
      });
    }
  }

  #send(batch: 'full' | 'partial'): void {
    this.#machine.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leavesSoon = false;
    const entries = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (batch === 'partial') this.#partialsUnderWay += 1;
    const request = this.#options.send(entries).finally(() => {
      this.#underWay.delete(request);
      if (batch === 'partial') this.#partialsUnderWay -= 1;
      if (this.#gathered.length > 0) this.#sendLater();
    });
    this.#underWay.add(request);
  }
}
