/**
 * The messages that cannot be received yet, the one that becomes visible first at the top (a binary heap). Most are
 * deleted long before their visibility timeout is over, so that must cost little: a message that is removed leaves an
 * empty place, and the empty places are cleared away when they are more than half.
 */

/** Where a message is in the heap. */
export interface Place<Item> {
  /** Milliseconds since the epoch. */
  readonly visibleAt: number;
  /** Of two that become visible together, the lower one is first. */
  readonly number: number;
  /** Undefined once it was removed: the place is empty. */
  item: Item | undefined;
}

interface Timed<Item> {
  readonly visibleAt: number;
  readonly number: number;
  /** The heap's own to write. */
  place: Place<Item> | undefined;
}

/** So few empty places are not worth clearing away. */
const FEW = 32;

export class Heap<Item extends Timed<Item>> {
  #places: Place<Item>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first item of those that become visible at `until` or earlier. */
  first(until = Number.POSITIVE_INFINITY): Item | undefined {
    for (let top = this.#places[0]; top && top.visibleAt <= until; top = this.#places[0]) {
      if (top.item) return top.item;
      this.#removeTop();
    }
    return undefined;
  }

  add(item: Item): void {
    const place = { visibleAt: item.visibleAt, number: item.number, item };
    item.place = place;
    this.#size += 1;
    this.#rise(place);
  }

  /** Removes an item that is in the heap. */
  remove(item: Item): void {
    item.place!.item = undefined;
    item.place = undefined;
    this.#size -= 1;
    if (this.#places.length > 2 * this.#size + FEW) {
      // What is sorted is a heap.
      this.#places = this.#places.filter((place) => place.item).sort(compare);
    }
  }

  #rise(place: Place<Item>): void {
    let index = this.#places.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#places[parentIndex]!;
      if (compare(place, parent) >= 0) break;
      this.#places[index] = parent;
      index = parentIndex;
    }
    this.#places[index] = place;
  }

  #removeTop(): void {
    const last = this.#places.pop()!;
    if (this.#places.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child =
        right < this.#places.length && compare(this.#places[right]!, this.#places[left]!) < 0 ? right : left;
      if (child >= this.#places.length || compare(last, this.#places[child]!) <= 0) break;
      this.#places[index] = this.#places[child]!;
      index = child;
    }
    this.#places[index] = last;
  }
}

function compare(one: Omit<Place<never>, 'item'>, other: Omit<Place<never>, 'item'>): number {
  return one.visibleAt - other.visibleAt || one.number - other.number;
}
