/**
 * The messages in one queue in memory, each in one of these states:
 *
 *     delayed ──> visible ──> in flight ──> gone
 *                    ^────────────┘
 *
 * `showDue` applies the changes that are due to time. This module knows nothing about pending receives.
 */
import type { EntryResult, QueueCounts, VisibilityChange } from '../broker.ts';
import { changeResult, deleteResult, type HeldMessage, parseReceiptHandle } from '../rules/receipt-handle.ts';
import { Heap } from './heap.ts';
import { FifoOrder, type Order, StandardOrder } from './order.ts';
import type { StoredMessage } from './stored-message.ts';

export class Messages {
  readonly #fifo: boolean;
  readonly #all = new Map<number, StoredMessage>();
  /** The messages that are in flight or delayed. */
  readonly #invisible = new Heap<StoredMessage>();
  readonly #order: Order;
  #inFlight = 0;

  constructor(fifo: boolean) {
    this.#fifo = fifo;
    this.#order = fifo ? new FifoOrder() : new StandardOrder();
  }

  get counts(): QueueCounts {
    return {
      visible: this.#all.size - this.#invisible.size,
      inFlight: this.#inFlight,
      delayed: this.#invisible.size - this.#inFlight,
    };
  }

  /** When the next message becomes visible, in milliseconds since the epoch; undefined if none will. */
  get nextVisibleAt(): number | undefined {
    return this.#invisible.first()?.visibleAt;
  }

  /** All messages, in the order of sending. */
  all(): Iterable<Readonly<StoredMessage>> {
    return this.#all.values();
  }

  /** Adds a message that was sent. */
  add(message: StoredMessage): void {
    this.#all.set(message.number, message);
    if (message.state === 'delayed') this.#invisible.add(message);
    this.#order.add(message);
  }

  /** Makes messages visible whose delay or visibility timeout has ended by `now`. */
  showDue(now: number): void {
    for (let due = this.#invisible.first(now); due; due = this.#invisible.first(now)) {
      this.#invisible.remove(due);
      this.#show(due);
    }
  }

  /** Takes up to `max` visible messages, in order. The caller must then put each in flight or remove it. */
  take(max: number): StoredMessage[] {
    return this.#order.take(max);
  }

  /** Puts a taken message in flight, for the receive with the token `token`. */
  putInFlight(message: StoredMessage, token: string, visibleAt: number): void {
    message.state = 'in flight';
    message.receiveCount += 1;
    message.token = token;
    message.visibleAt = visibleAt;
    this.#invisible.add(message);
    this.#inFlight += 1;
  }

  /** Removes a message permanently and unblocks its group. On a FIFO queue, the message must have been taken. */
  remove(message: StoredMessage): void {
    if (message.state === 'in flight') {
      this.#invisible.remove(message);
      this.#inFlight -= 1;
    }
    message.state = 'gone';
    this.#all.delete(message.number);
    this.#order.finish(message);
  }

  /** Deletes the message of a receipt handle, or returns why it cannot. */
  delete(receiptHandle: string): EntryResult {
    const receipt = parseReceiptHandle(receiptHandle);
    const message = receipt && this.#all.get(receipt.number);
    const result = deleteResult(receipt, message && held(message), this.#fifo);
    if (message && result.ok) this.remove(message);
    return result;
  }

  /** Changes when the message of a receipt handle becomes visible again, or returns why it cannot. */
  changeVisibility(change: VisibilityChange, now: number): EntryResult {
    const receipt = parseReceiptHandle(change.receiptHandle);
    const message = receipt && this.#all.get(receipt.number);
    const result = changeResult(change, receipt, message && held(message));
    if (!message || !result.ok) return result;
    this.#invisible.remove(message);
    if (change.seconds > 0) {
      message.visibleAt = now + change.seconds * 1000;
      this.#invisible.add(message);
    } else {
      this.#show(message);
    }
    return result;
  }

  /** Makes a message visible that was already removed from the invisible ones. */
  #show(message: StoredMessage): void {
    const wasInFlight = message.state === 'in flight';
    message.state = 'visible';
    if (wasInFlight) {
      this.#inFlight -= 1;
      this.#order.putBack(message);
    } else {
      this.#order.endDelay(message);
    }
  }
}

function held({ token, state }: StoredMessage): HeldMessage {
  return { token, isInFlight: state === 'in flight' };
}
