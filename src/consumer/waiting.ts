/**
 * The messages that are received and not started, in their order. On a FIFO queue it lets one message of a group run
 * at a time, and hands back those behind one that failed, so that they come again in order.
 */
import type { Delivery } from './delivery.ts';

export class Waiting {
  readonly #fifo: boolean;
  #messages: Delivery[] = [];
  /** How many at the front have been taken: shifting an array for each message is slow. */
  #taken = 0;
  readonly #busyGroups = new Set<string>();

  constructor(fifo: boolean) {
    this.#fifo = fifo;
  }

  get size(): number {
    return this.#messages.length - this.#taken;
  }

  add(delivery: Delivery): void {
    this.#messages.push(delivery);
  }

  /** The next message that may run now; its group is busy until `finished`. */
  take(): Delivery | undefined {
    if (this.#fifo) return this.#takeOfFreeGroup();
    const delivery = this.#messages[this.#taken];
    if (!delivery) return undefined;
    this.#taken += 1;
    if (this.#taken === this.#messages.length) this.#replace([]);
    else if (this.#taken === 1024) this.#replace(this.#messages.slice(this.#taken));
    return delivery;
  }

  /** Frees the group of a message that was taken. */
  finished({ message }: Delivery): void {
    if (this.#fifo) this.#busyGroups.delete(message.groupId ?? '');
  }

  /** Removes and returns what waits behind a message that is to come again; nothing on a standard queue. */
  takeBehind({ message }: Delivery): Delivery[] {
    if (!this.#fifo) return [];
    return this.#removeWhere((waiting) => waiting.message.groupId === message.groupId);
  }

  remove(delivery: Delivery): void {
    this.#removeWhere((waiting) => waiting === delivery);
  }

  /** Removes and returns everything. */
  takeAll(): Delivery[] {
    return this.#removeWhere(() => true);
  }

  #takeOfFreeGroup(): Delivery | undefined {
    const index = this.#messages.findIndex(({ message }) => !this.#busyGroups.has(message.groupId ?? ''));
    if (index === -1) return undefined;
    const [delivery] = this.#messages.splice(index, 1);
    if (delivery) this.#busyGroups.add(delivery.message.groupId ?? '');
    return delivery;
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
