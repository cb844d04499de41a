/** The messages that cannot be received yet, the one that becomes visible first at the top (a binary heap). */

export interface Timed {
  /** Milliseconds since the epoch. */
  visibleAt: number;
  /** Of two that become visible together, the lower one is first. */
  readonly number: number;
  /** Where the heap has it; its own to write. */
  heapIndex: number;
}

export class Heap<Item extends Timed> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    this.#rise(item, this.#items.length);
  }

  /** Removes an item that is in the heap. */
  remove(item: Item): void {
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#rise(last, item.heapIndex);
    this.#sink(last, last.heapIndex);
  }

  #rise(item: Item, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#items[parentIndex]!;
      if (!isBefore(item, parent)) break;
      this.#place(parent, index);
      index = parentIndex;
    }
    this.#place(item, index);
  }

  #sink(item: Item, from: number): void {
    let index = from;
    for (;;) {
      const left = this.#items[2 * index + 1];
      const right = this.#items[2 * index + 2];
      const child = left && right && isBefore(right, left) ? right : left;
      if (!child || !isBefore(child, item)) break;
      const childIndex = child.heapIndex;
      this.#place(child, index);
      index = childIndex;
    }
    this.#place(item, index);
  }

  #place(item: Item, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}

function isBefore(one: Timed, other: Timed): boolean {
  return one.visibleAt === other.visibleAt ? one.number < other.number : one.visibleAt < other.visibleAt;
}
