/**
 * The messages that are received and not started, in their order. Of a group (on FIFO queues, the message group) it lets
 * one run at a time, and hands back those behind one that failed, so that they come again in order.
 */
import type { Delivery } from './delivery.ts';

export class Waiting {
  #messages: Delivery[] = [];
  /** How many at the front have been taken: shifting an array for each message is slow. */
  #taken = 0;
  readonly #busyGroups = new Set<string>();

  get size(): number {
    return this.#messages.length - this.#taken;
  }

  add(delivery: Delivery): void {
    this.#messages.push(delivery);
  }

  /** The next message that may run now; its group is busy until `finished`. */
  take(): Delivery | undefined {
    for (let index = this.#taken; index < this.#messages.length; index += 1) {
      const delivery = this.#messages[index]!;
      const { group } = delivery;
      if (group !== undefined) {
        if (this.#busyGroups.has(group)) continue;
        this.#busyGroups.add(group);
      }
      if (index === this.#taken) this.#takeFirst();
      else this.#messages.splice(index, 1);
      return delivery;
    }
    return undefined;
  }

  /** Frees the group of a message that was taken. */
  finished({ group }: Delivery): void {
    if (group !== undefined) this.#busyGroups.delete(group);
  }

  /** FIFO: removes and returns what waits behind a message that is to come again. */
  takeBehind({ message, queue }: Delivery): Delivery[] {
    if (!queue.fifo) return [];
    return this.#removeWhere((waiting) => waiting.message.groupId === message.groupId);
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
    this.#replace(waiting.filter((delivery) => !matches(delivery)));
    return waiting.filter(matches);
  }

  #replace(messages: Delivery[]): void {
    this.#messages = messages;
    this.#taken = 0;
  }
}
