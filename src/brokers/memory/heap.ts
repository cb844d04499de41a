/**
 * A binary heap of the messages that cannot be received yet, ordered by when they become visible. Most messages are deleted
 * long before their visibility timeout ends, so removal must be cheap: it leaves an empty entry, and the heap is cleaned up
 * when more than half of its entries are empty.
 */

/** An entry in the heap. */
export interface HeapEntry<Item> {
  /** Milliseconds since the epoch. */
  readonly visibleAt: number;
  /** Of two entries with the same time, the one with the lower number comes first. */
  readonly number: number;
  /** Undefined after the item was removed: the entry is empty. */
  item: Item | undefined;
}

interface Timed<Item> {
  readonly visibleAt: number;
  readonly number: number;
  /** Only the heap may set it. */
  heapEntry: HeapEntry<Item> | undefined;
}

/** Up to this many empty entries are not worth a cleanup. */
const FEW = 32;

export class Heap<Item extends Timed<Item>> {
  #entries: HeapEntry<Item>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first item, if it becomes visible at `until` or earlier. */
  first(until = Number.POSITIVE_INFINITY): Item | undefined {
    for (let top = this.#entries[0]; top && top.visibleAt <= until; top = this.#entries[0]) {
      if (top.item) return top.item;
      this.#removeTop();
    }
    return undefined;
  }

  add(item: Item): void {
    const entry = { visibleAt: item.visibleAt, number: item.number, item };
    item.heapEntry = entry;
    this.#size += 1;
    this.#rise(entry);
  }

  /** Removes an item that is in the heap. */
  remove(item: Item): void {
    item.heapEntry!.item = undefined;
    item.heapEntry = undefined;
    this.#size -= 1;
    if (this.#entries.length > 2 * this.#size + FEW) {
      // A sorted array is a valid heap.
      this.#entries = this.#entries.filter((entry) => entry.item).sort(compare);
    }
  }

  #rise(entry: HeapEntry<Item>): void {
    let index = this.#entries.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#entries[parentIndex]!;
      if (compare(entry, parent) >= 0) break;
      this.#entries[index] = parent;
      index = parentIndex;
    }
    this.#entries[index] = entry;
  }

  #removeTop(): void {
    const last = this.#entries.pop()!;
    if (this.#entries.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child =
        right < this.#entries.length && compare(this.#entries[right]!, this.#entries[left]!) < 0
          ? right
          : left;
      if (child >= this.#entries.length || compare(last, this.#entries[child]!) <= 0) break;
      this.#entries[index] = this.#entries[child]!;
      index = child;
    }
    this.#entries[index] = last;
  }
}

function compare(one: Omit<HeapEntry<never>, 'item'>, other: Omit<HeapEntry<never>, 'item'>): number {
  return one.visibleAt - other.visibleAt || one.number - other.number;
}
