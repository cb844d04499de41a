/**
 * The messages that are received and not started, in their order. Of a group (on FIFO queues, the message group) it lets
 * one run at a time, and hands back those behind one that failed, so that they come again in order.
 */
import type { Delivery } from './delivery.ts';

/** A group that has messages here. */
interface Group {
  /** How many wait. */
  waiting: number;
  /** One of them runs. */
  isRunning: boolean;
}

export class Waiting {
  #messages: Delivery[] = [];
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

  add(delivery: Delivery): void {
    this.#messages.push(delivery);
    if (delivery.group === undefined) return;
    const group = this.#groups.get(delivery.group);
    if (group) {
      group.waiting += 1;
      this.#blocked += 1;
    } else {
      this.#groups.set(delivery.group, { waiting: 1, isRunning: false });
    }
  }

  /** The next message that may run now; its group is busy until `finished`. */
  take(): Delivery | undefined {
    for (let index = this.#taken; index < this.#messages.length; index += 1) {
      const delivery = this.#messages[index]!;
      const group = delivery.group === undefined ? undefined : this.#groups.get(delivery.group);
      if (group?.isRunning) continue;
      if (group) {
        group.isRunning = true;
        group.waiting -= 1;
      }
      if (index === this.#taken) this.#takeFirst();
      else this.#messages.splice(index, 1);
      return delivery;
    }
    return undefined;
  }

  /** Frees the group of a message that was taken. */
  finished(delivery: Delivery): void {
    if (delivery.group === undefined) return;
    const group = this.#groups.get(delivery.group)!;
    group.isRunning = false;
    if (group.waiting > 0) this.#blocked -= 1;
    else this.#groups.delete(delivery.group);
  }

  /** FIFO: removes and returns what waits in the group of a message that is to come again. */
  takeBehind({ queue, group }: Delivery): Delivery[] {
    return queue.fifo ? this.#removeWhere((waiting) => waiting.group === group) : [];
  }

  remove(delivery: Delivery): void {
    this.#removeWhere((waiting) => waiting === delivery);
  }

  /** Removes and returns everything. */
  takeAll(): Delivery[] {
    return this.#removeWhere(() => true);
  }

  #takeFirst(): void {
    this.#taken += 1;
    if (this.#taken === this.#messages.length) this.#replace([]);
    else if (this.#taken === 1024) this.#replace(this.#messages.slice(this.#taken));
  }

  #removeWhere(matches: (delivery: Delivery) => boolean): Delivery[] {
    const waiting = this.#messages.slice(this.#taken);
    const removed = waiting.filter(matches);
    if (removed.length > 0) this.#replace(waiting.filter((delivery) => !matches(delivery)));
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

  #replace(messages: Delivery[]): void {
    this.#messages = messages;
    this.#taken = 0;
  }
}
