/**
 * Virtual time: a queue of events, each run at its time, with all promise callbacks that follow from it before the next
 * one. Events at the same time run in the order in which they were added, so that a world always takes the same course.
 */

/** Something that happens at a time, in milliseconds since the world began. */
export interface VirtualEvent {
  readonly at: number;
  readonly number: number;
  run: (() => void) | undefined;
}

/** How many events to run before other callbacks of the real event loop get a chance. */
const STRETCH = 64;

export class VirtualTime {
  #now = 0;
  #added = 0;
  /** A binary heap: the earliest event is first. */
  readonly #heap: VirtualEvent[] = [];

  /** Milliseconds since the world began. */
  get now(): number {
    return this.#now;
  }

  /** Runs `run` at this time, or now if it is in the past. */
  at(time: number, run: () => void): VirtualEvent {
    this.#added += 1;
    const event = { at: Math.max(time, this.#now), number: this.#added, run };
    this.#push(event);
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
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let hasEnded = false;
      const step = () => {
        if (hasEnded) return;
        try {
          if (!isOver() && this.#runNext()) return;
          hasEnded = true;
          resolve();
        } catch (error) {
          hasEnded = true;
          reject(error);
        }
      };
      // Node runs all pending promise callbacks after each callback of setImmediate.
      const stretch = () => {
        for (let count = 0; count < STRETCH; count += 1) setImmediate(step);
        setImmediate(() => {
          if (!hasEnded) stretch();
        });
      };
      stretch();
    });
  }

  /** False if no event is left. */
  #runNext(): boolean {
    for (let event = this.#pop(); event; event = this.#pop()) {
      if (!event.run) continue;
      this.#now = event.at;
      event.run();
      return true;
    }
    return false;
  }

  #push(event: VirtualEvent): void {
    const heap = this.#heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(heap[parent]!, event)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  #pop(): VirtualEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(one: VirtualEvent, other: VirtualEvent): boolean {
  return one.at < other.at || (one.at === other.at && one.number < other.number);
}
