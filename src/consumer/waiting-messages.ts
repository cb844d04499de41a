/**
 * The received messages that have not started, in order. Lets only one message per group (on FIFO queues, the message
 * group) run at a time. Hands over the messages behind a failed one to be returned, so that they arrive again in order.
 */
import type { HeldMessage } from './held-message.ts';

/** A group with messages here. */
interface Group {
  /** How many messages of the group are waiting. */
  waiting: number;
  /** True while a message of the group is running. */
  isRunning: boolean;
}

export class WaitingMessages {
  #messages: HeldMessage[] = [];
  /** How many at the front are already taken: shifting the array for each message is slow. */
  #taken = 0;
  readonly #groups = new Map<string, Group>();
  /** How many are waiting for another message of their group. */
  #blocked = 0;

  get size(): number {
    return this.#messages.length - this.#taken;
  }

  /** How many could start now if there were enough slots. */
  get ready(): number {
    return this.size - this.#blocked;
  }

  add(held: HeldMessage): void {
    this.#messages.push(held);
    if (held.group === undefined) return;
    const group = this.#groups.get(held.group);
    if (group) {
      group.waiting += 1;
      this.#blocked += 1;
    } else {
      this.#groups.set(held.group, { waiting: 1, isRunning: false });
    }
  }

  /** Removes and returns the next message that may run; its group is busy until `finished`. */
  take(): HeldMessage | undefined {
    for (let index = this.#taken; index < this.#messages.length; index += 1) {
      const held = this.#messages[index]!;
      const group = held.group === undefined ? undefined : this.#groups.get(held.group);
      if (group?.isRunning) continue;
      if (group) {
        group.isRunning = true;
        group.waiting -= 1;
      }
      if (index === this.#taken) this.#takeFirst();
      else this.#messages.splice(index, 1);
      return held;
    }
    return undefined;
  }

  /** Frees the group of a taken message. */
  finished(held: HeldMessage): void {
    if (held.group === undefined) return;
    const group = this.#groups.get(held.group)!;
    group.isRunning = false;
    if (group.waiting > 0) this.#blocked -= 1;
    else this.#groups.delete(held.group);
  }

  /** FIFO: removes and returns the messages waiting in the group of a message that will arrive again. */
  takeBehind({ queue, group }: HeldMessage): HeldMessage[] {
    return queue.fifo ? this.#removeWhere((waiting) => waiting.group === group) : [];
  }

  remove(held: HeldMessage): void {
    this.#removeWhere((waiting) => waiting === held);
  }

  /** Removes and returns everything. */
  takeAll(): HeldMessage[] {
    return this.#removeWhere(() => true);
  }

  #takeFirst(): void {
    this.#taken += 1;
    if (this.#taken === this.#messages.length) this.#replace([]);
    else if (this.#taken === 1024) this.#replace(this.#messages.slice(this.#taken));
  }

  #removeWhere(matches: (held: HeldMessage) => boolean): HeldMessage[] {
    const waiting = this.#messages.slice(this.#taken);
    const removed = waiting.filter(matches);
    if (removed.length > 0) this.#replace(waiting.filter((held) => !matches(held)));
    for (const { group } of removed) if (group !== undefined) this.#leave(group);
    return removed;
  }

  /** Updates the counts after a waiting message of a group is removed. */
  #leave(name: string): void {
    const group = this.#groups.get(name)!;
    group.waiting -= 1;
    if (group.isRunning || group.waiting > 0) this.#blocked -= 1;
    else this.#groups.delete(name);
  }

  #replace(messages: HeldMessage[]): void {
    this.#messages = messages;
    this.#taken = 0;
  }
}
