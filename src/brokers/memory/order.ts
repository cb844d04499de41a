/** Which messages can be received next: on standard queues, and on FIFO queues by message groups. */
import type { StoredMessage } from './stored-message.ts';

export interface Order {
  /** Takes in a message that was sent. */
  add(message: StoredMessage): void;
  /** A delay is over. */
  appear(message: StoredMessage): void;
  /** A message that was taken is visible again. */
  giveBack(message: StoredMessage): void;
  /** A message that was taken is gone for good. */
  finish(message: StoredMessage): void;
  /** Takes up to `max` messages that are visible now, in their order. */
  take(max: number): StoredMessage[];
}

/** Standard queues: in the order in which messages became visible. */
export class StandardOrder implements Order {
  readonly #visible = new Deque<StoredMessage>();

  add(message: StoredMessage): void {
    if (message.state === 'visible') this.#visible.push(message);
  }

  appear(message: StoredMessage): void {
    this.#visible.push(message);
  }

  giveBack(message: StoredMessage): void {
    this.#visible.push(message);
  }

  finish(): void {}

  take(max: number): StoredMessage[] {
    const taken: StoredMessage[] = [];
    while (taken.length < max) {
      const message = this.#visible.shift();
      if (!message) break;
      // By the handle of its last receive a message may be deleted when it is visible again.
      if (message.state !== 'gone') taken.push(message);
    }
    return taken;
  }
}

interface Group {
  readonly id: string;
  /** In the order of sending, without those that are taken. */
  readonly waiting: Deque<StoredMessage>;
  /** How many are taken: while any are, the group is blocked. */
  taken: number;
  isReady: boolean;
}

/** FIFO queues: within a group in the order of sending; the group that is ready the longest comes first. */
export class FifoOrder implements Order {
  readonly #groups = new Map<string, Group>();
  readonly #ready = new Deque<Group>();

  add(message: StoredMessage): void {
    const id = message.groupId ?? '';
    let group = this.#groups.get(id);
    if (!group) {
      group = { id, waiting: new Deque(), taken: 0, isReady: false };
      this.#groups.set(id, group);
    }
    group.waiting.push(message);
    this.#check(group);
  }

  appear(message: StoredMessage): void {
    this.#check(this.#groupOf(message));
  }

  giveBack(message: StoredMessage): void {
    const group = this.#groupOf(message);
    group.waiting.putBack(message, (other) => other.number < message.number);
    group.taken -= 1;
    this.#check(group);
  }

  finish(message: StoredMessage): void {
    const group = this.#groupOf(message);
    group.taken -= 1;
    this.#check(group);
    if (group.taken === 0 && !group.waiting.first) this.#groups.delete(group.id);
  }

  take(max: number): StoredMessage[] {
    const taken: StoredMessage[] = [];
    while (taken.length < max) {
      const group = this.#ready.shift();
      if (!group) break;
      group.isReady = false;
      while (taken.length < max && group.waiting.first?.state === 'visible') {
        taken.push(group.waiting.shift()!);
        group.taken += 1;
      }
    }
    return taken;
  }

  #check(group: Group): void {
    if (group.isReady || group.taken > 0 || group.waiting.first?.state !== 'visible') return;
    group.isReady = true;
    this.#ready.push(group);
  }

  #groupOf(message: StoredMessage): Group {
    return this.#groups.get(message.groupId ?? '')!;
  }
}

/** First in, first out: as an array, but taking from the front of a long one costs no more than of a short one. */
class Deque<Item> {
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
