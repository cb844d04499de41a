/**
 * Runs workers, as many at once as there are slots: one for the sequential container. A slot takes the next waiting
 * message the moment it is free, and never waits for the broker: outcomes are settled in the background.
 */
import type { Delivery } from './delivery.ts';

/** To give way to I/O. A spec that fakes the clock fakes this, too: nothing waits for I/O then. */
const giveWay = globalThis.setImmediate;

/** Workers that return at once run on without a turn of the event loop for at most this long, in milliseconds. */
const LONGEST_STRETCH_MS = 1;

export interface SlotsOptions {
  /** How many messages run at once. */
  readonly count: number;
  /** The next message that may run now. */
  readonly next: () => Delivery | undefined;
  /** Runs the worker on it and settles it. Must not reject. */
  readonly handle: (delivery: Delivery) => Promise<void>;
  /** Called when a message was taken or a slot became free: more may be wanted. */
  readonly onChange: () => void;
}

export class Slots {
  readonly count: number;
  readonly #options: SlotsOptions;
  readonly #running = new Set<Delivery>();
  #busy = 0;
  /** When workers began to run without a turn of the event loop in between; undefined after a turn. */
  #stretchStartedAt: number | undefined;
  #stopped = false;
  #whenEmpty: (() => void)[] = [];

  constructor(options: SlotsOptions) {
    this.count = options.count;
    this.#options = options;
  }

  get free(): number {
    return this.count - this.#busy;
  }

  /** The messages whose workers run now. */
  get running(): ReadonlySet<Delivery> {
    return this.#running;
  }

  /** Starts what can start. Call it when messages have come. */
  fill(): void {
    while (this.#busy < this.count && !this.#stopped) {
      const delivery = this.#options.next();
      if (!delivery) return;
      this.#busy += 1;
      void this.#work(delivery);
    }
  }

  /** Starts nothing more; resolves when no worker runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#busy > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  /** One slot's life: message after message, until none is waiting. */
  async #work(first: Delivery): Promise<void> {
    let delivery: Delivery | undefined = first;
    while (delivery) {
      const startedAt = performance.now();
      this.#beginStretch();
      this.#running.add(delivery);
      delivery.source.running += 1;
      this.#options.onChange();
      await this.#options.handle(delivery);
      this.#running.delete(delivery);
      delivery.source.running -= 1;
      delivery.source.measure(performance.now() - startedAt);
      if (this.#stretchIsLong()) await new Promise((resolve) => giveWay(resolve));
      delivery = this.#stopped ? undefined : this.#options.next();
    }
    this.#busy -= 1;
    this.#options.onChange();
    if (this.#busy === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  #beginStretch(): void {
    if (this.#stretchStartedAt !== undefined || globalThis.setImmediate !== giveWay) return;
    this.#stretchStartedAt = performance.now();
    giveWay(() => {
      this.#stretchStartedAt = undefined;
    });
  }

  #stretchIsLong(): boolean {
    return (
      this.#stretchStartedAt !== undefined && performance.now() - this.#stretchStartedAt > LONGEST_STRETCH_MS
    );
  }
}
