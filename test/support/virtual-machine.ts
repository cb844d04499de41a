// A machine whose time passes only when a spec advances it, without faking any globals.
import type { Machine, Timer } from '../../src/host/host.ts';

interface VirtualTimer {
  at: number;
  readonly every: number | undefined;
  readonly callback: () => void;
}

export class VirtualMachine implements Machine {
  #now = 0;
  #uuids = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }
  wallClock(): number {
    return this.#now;
  }
  setTimeout(callback: () => void, milliseconds: number): Timer {
    return this.#set(callback, milliseconds, undefined);
  }
  clearTimeout(timer: Timer | undefined): void {
    if (timer) this.#timers.delete(timer);
  }
  setInterval(callback: () => void, milliseconds: number): Timer {
    return this.#set(callback, milliseconds, milliseconds);
  }
  clearInterval(timer: Timer | undefined): void {
    this.clearTimeout(timer);
  }
  nextTurn(callback: () => void): void {
    void Promise.resolve().then(callback);
  }
  random(): number {
    return 0.5;
  }
  uuid(): string {
    this.#uuids += 1;
    // Unlike the message IDs of the memory broker, which would make it a duplicate of one.
    return `11111111-0000-4000-8000-${this.#uuids.toString(16).padStart(12, '0')}`;
  }

  /** The pending timers. */
  get timers(): number {
    return this.#timers.size;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.setTimeout(resolve, milliseconds));
  }

  /** Advances the time and runs everything that is due. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    for (;;) {
      await promisesSettled();
      const next = this.#next;
      if (!next || next.at > until) break;
      this.#now = next.at;
      if (next.every === undefined) this.#timers.delete(next);
      else next.at += next.every;
      next.callback();
    }
    this.#now = until;
  }

  get #next(): VirtualTimer | undefined {
    let next: VirtualTimer | undefined;
    for (const timer of this.#timers as Set<VirtualTimer>) if (!next || timer.at < next.at) next = timer;
    return next;
  }

  #set(callback: () => void, milliseconds: number, every: number | undefined): Timer {
    const timer: VirtualTimer = { at: this.#now + Math.max(0, milliseconds), every, callback };
    this.#timers.add(timer);
    return timer;
  }
}

/** Runs pending promise callbacks; chains of promises are shorter than 1,000, also those of a transaction in SQLite. */
async function promisesSettled(): Promise<void> {
  for (let link = 0; link < 1_000; link += 1) await Promise.resolve();
}
