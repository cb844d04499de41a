/** First in, first out: as an array, but taking from the front of a long one costs no more than of a short one. */

export class Line<Item> {
  #items: (Item | undefined)[] = [];
  #head = 0;

  get first(): Item | undefined {
    return this.#items[this.#head];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head * 2 > this.#items.length && this.#head > 32) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Puts an item that had been taken back where `isBefore` wants it, which is near the front. */
  putBack(item: Item, isBefore: (other: Item) => boolean): void {
    let index = this.#head;
    while (index < this.#items.length && isBefore(this.#items[index]!)) index += 1;
    if (index === this.#head && index > 0) {
      this.#head -= 1;
      this.#items[this.#head] = item;
    } else {
      this.#items.splice(index, 0, item);
    }
  }
}
