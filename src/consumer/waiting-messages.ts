/**
 * The messages that are received and not started, in their order. Of a group (on FIFO queues, the message group) it lets
 * one run at a time, and hands back those behind one that failed, so that they come again in order.
 */
import type { HeldMessage } from './held-message.ts';

/** A group that has messages here. */
interface Group {
  /** How many wait. */
  waiting: number;
  /** One of them runs. */
  isRunning: boolean;
}

export class WaitingMessages {
  #messages: HeldMessage[] = [];
  /** How many at the front have been taken: shifting an array for each message is slow. */
  #taken = 0;
  readonly #groups = new Map<string, Group>();
  /** How many wait for another one of their group. */
  #blocked = 0;

  get size(): number {
    return this.#messages.length - this.#taken;
  }

  /** How many could start now, if there were slots for all. */
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

  /** The next message that may run now; its group is busy until `finished`. */
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

  /** Frees the group of a message that was taken. */
  finished(held: HeldMessage): void {
    if (held.group === undefined) return;
    const group = this.#groups.get(held.group)!;
    group.isRunning = false;
    if (group.waiting > 0) this.#blocked -= 1;
    else this.#groups.delete(held.group);
  }

  /** FIFO: removes and returns what waits in the group of a message that is to come again. */
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

  /** One of a group that waited is gone. */
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
