/** Determines which messages are received next: on standard queues, and on FIFO queues by message group. */
import type { StoredMessage } from './stored-message.ts';

export interface Order {
  /** Adds a message that was sent. */
  add(message: StoredMessage): void;
  /** Call it when a message's delay has ended. */
  endDelay(message: StoredMessage): void;
  /** Call it when a taken message is visible again. */
  putBack(message: StoredMessage): void;
  /** Call it when a taken message was removed permanently. */
  finish(message: StoredMessage): void;
  /** Takes up to `max` messages that are visible now, in order. */
  take(max: number): StoredMessage[];
}

/** Standard queues: in the order in which messages became visible. */
export class StandardOrder implements Order {
  readonly #visible = new Deque<StoredMessage>();

  add(message: StoredMessage): void {
    if (message.state === 'visible') this.#visible.push(message);
  }

  endDelay(message: StoredMessage): void {
    this.#visible.push(message);
  }

  putBack(message: StoredMessage): void {
    this.#visible.push(message);
  }

  finish(): void {}

  take(max: number): StoredMessage[] {
    const taken: StoredMessage[] = [];
    while (taken.length < max) {
      const message = this.#visible.shift();
      if (!message) break;
      // Skip messages that were deleted, by the handle of their last receive, after they became visible again.
      if (message.state !== 'gone') taken.push(message);
    }
    return taken;
  }
}

interface Group {
  readonly id: string;
  /** The messages that are not taken, in the order of sending. */
  readonly waiting: Deque<StoredMessage>;
  /** How many messages are taken. While there are any, the group is blocked. */
  taken: number;
  isReady: boolean;
}

/** FIFO queues: in the order of sending within a group; the group that has been ready the longest comes first. */
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

  endDelay(message: StoredMessage): void {
    this.#check(this.#groupOf(message));
  }

  putBack(message: StoredMessage): void {
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

/** A queue like an array, but taking from the front is fast whatever its length. */
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

  /** Puts a taken item back after all items for which `isBefore` is true; the position must be near the front. */
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
