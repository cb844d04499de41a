/**
 * Virtual time: a queue of events, each run at its time, with all promise callbacks that follow from it before the next
 * one. Events at the same time run in the order in which they were added, so that a world always takes the same course.
 */

/** Something that happens at a time, in milliseconds since the world began. */
export interface VirtualEvent {
  readonly at: number;
  run: (() => void) | undefined;
}

/** How many callbacks to set at once: a turn of the real event loop for each would take longer than the world. */
const STRETCH = 64;

export class VirtualTime {
  #now = 0;
  /** The next event is last. */
  readonly #events: VirtualEvent[] = [];
  #immediates = 0;
  #goOn = () => {};

  /** Milliseconds since the world began. */
  get now(): number {
    return this.#now;
  }

  /** Runs `run` at this time, or now if it is in the past. */
  at(time: number, run: () => void): VirtualEvent {
    const event = { at: Math.max(time, this.#now), run };
    let low = 0;
    for (let high = this.#events.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.at > event.at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
    return event;
  }

  /** Takes back an event that has not run yet. */
  cancel(event: VirtualEvent): void {
    event.run = undefined;
  }

  /** Resolves after this many milliseconds. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.at(this.#now + milliseconds, resolve));
  }

  /** Runs events until `isOver` says so, or no event is left. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const event = this.#events.pop();
      if (!event) return;
      if (!event.run) continue;
      this.#now = event.at;
      event.run();
      await this.#callbacks();
    }
  }

  /** Resolves when all pending promise callbacks have run, as Node runs them after each callback of setImmediate. */
  #callbacks(): Promise<void> {
    if (this.#immediates === 0) {
      this.#immediates = STRETCH;
      for (let count = 0; count < STRETCH; count += 1) {
        setImmediate(() => {
          this.#immediates -= 1;
          this.#goOn();
        });
      }
    }
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }
}
