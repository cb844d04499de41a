/**
 * Keeps the visibility timeout of everything that is held (waiting, running, settling), in batches of ten, until it
 * is settled or can be kept no longer. A message whose lease is over may be run by another process: its worker's
 * signal aborts, and of its outcomes only a late success still counts.
 */

import type { EntryFailure, EntryResult, Queue } from '../brokers/broker.ts';
import { BrokerError, NO_RESULT } from '../brokers/errors.ts';
import { BATCH_ENTRIES } from '../brokers/rules/limits.ts';
import { type Delivery, type Lease, LeaseLostError } from './delivery.ts';
import { extensionSeconds, extensionTime, isDue, retryTime } from './lease-plan.ts';
import type { ConsumerObserver } from './observer.ts';

export class Leases {
  readonly #queue: Queue;
  /** Seconds. */
  readonly #timeout: number;
  readonly #observer: ConsumerObserver;
  readonly #onLost: (delivery: Delivery) => void;
  readonly #held = new Set<Delivery>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** `timeout` is the visibility timeout in seconds; `onLost` is told after the delivery was marked. */
  constructor(
    queue: Queue,
    timeout: number,
    observer: ConsumerObserver,
    onLost: (delivery: Delivery) => void = () => {},
  ) {
    this.#queue = queue;
    this.#timeout = timeout;
    this.#observer = observer;
    this.#onLost = onLost;
  }

  /** How many messages are held. */
  get size(): number {
    return this.#held.size;
  }

  /** Everything held, in the order of its receive. */
  get held(): Iterable<Delivery> {
    return this.#held;
  }

  /** Starts to look after a message just received. */
  hold(delivery: Delivery): void {
    delivery.extendAt = extensionTime(delivery.leaseEndsAt, this.#timeout);
    this.#held.add(delivery);
    this.#schedule(delivery.extendAt);
  }

  /** Stops looking after a message: it is settled, or left to come back when its visibility timeout ends. */
  release(delivery: Delivery): void {
    this.#held.delete(delivery);
    delivery.phase = 'done';
    if (this.#held.size === 0) this.#unschedule();
  }

  /** True if the message is still this process's; marks its lease as uncertain if it ended unnoticed (a blocked process). */
  owns(delivery: Delivery): boolean {
    if (this.isOver(delivery)) {
      this.#end(delivery, 'uncertain', 'its visibility timeout ended while the process could not extend it');
    }
    return !delivery.leaseLost;
  }

  /** True if the lease is over, by the broker's word or by our own clock. Changes nothing. */
  isOver(delivery: Delivery): boolean {
    return delivery.leaseLost || performance.now() >= delivery.leaseEndsAt;
  }

  /** The message is deleted before it is handled: nobody else can have it. */
  keepForGood(delivery: Delivery): void {
    delivery.deleted = true;
    delivery.leaseEndsAt = delivery.extendAt = Number.POSITIVE_INFINITY;
  }

  /**
   * Makes a lease last for at least so many seconds from now, as a worker asks. Throws LeaseLostError if it is lost,
   * BrokerError if the broker fails, RangeError if `seconds` is not a number above 0.
   */
  async extend(delivery: Delivery, seconds: number): Promise<void> {
    if (!(seconds > 0)) throw new RangeError(`extend() takes seconds, a number above 0, not ${seconds}.`);
    // One request at a time: of two, the broker might heed the shorter one last.
    while (delivery.extending) await delivery.extending;
    if (delivery.phase !== 'running' || delivery.deleted) return;
    // Asking for the signal notes that the worker knows.
    if (!this.owns(delivery)) throw delivery.signal.reason;
    const [result = NO_RESULT] = await this.#extend([delivery], Math.max(Math.ceil(seconds), this.#timeout));
    if (delivery.leaseLost) throw delivery.signal.reason;
    if (!result.ok) throw new BrokerError('unreachable', `The lease was not extended: ${describe(result)}`);
  }

  /** Leaves a lease alone while a request is under way that settles the message: an extension would undo it or fail. */
  pause(delivery: Delivery): void {
    delivery.settlementSent = true;
  }

  /** Looks after a lease again: the request that was to settle the message failed. */
  resume(delivery: Delivery): void {
    delivery.settlementSent = false;
    delivery.extendAt = Math.min(delivery.extendAt, extensionTime(delivery.leaseEndsAt, this.#timeout));
    if (this.#held.has(delivery)) this.#schedule(delivery.extendAt);
  }

  /** Marks a message as no longer this process's for certain, tells its worker, and stops looking after it. */
  lose(delivery: Delivery, reason: string): void {
    if (delivery.lease === 'uncertain') delivery.lease = 'lost';
    else this.#end(delivery, 'lost', reason);
  }

  #end(delivery: Delivery, lease: Lease, reason: string): void {
    if (delivery.leaseLost || !this.#held.delete(delivery)) return;
    delivery.lease = lease;
    delivery.abort(new LeaseLostError(`The lease of message ${delivery.message.id} was lost: ${reason}.`));
    this.#observer.leaseLost?.(delivery, reason);
    this.#onLost(delivery);
  }

  #schedule(at: number): void {
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#extendDue(), Math.max(0, at - performance.now()));
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #extendDue(): void {
    this.#unschedule();
    const now = performance.now();
    const due: Delivery[] = [];
    for (const delivery of this.#held) {
      if (isSettlers(delivery, now)) continue;
      if (now >= delivery.leaseEndsAt) this.owns(delivery);
      else if (isDue(delivery.extendAt, now, this.#timeout)) due.push(delivery);
    }
    const extensible = due.filter((delivery) => this.#canExtend(delivery, now));
    for (let start = 0; start < extensible.length; start += BATCH_ENTRIES) {
      const batch = extensible.slice(start, start + BATCH_ENTRIES);
      this.#extend(batch, this.#timeout).catch((error: Error) => {
        this.#observer.extensionFailed?.(error, batch.length);
      });
    }
    this.#scheduleNext();
  }

  /** Near the end of its 12 hours a lease has as much as it can get: it is left to run out. */
  #canExtend(delivery: Delivery, now: number): boolean {
    const seconds = extensionSeconds(delivery.receivedAt, now, this.#timeout);
    if (now + seconds * 1000 > delivery.leaseEndsAt) return true;
    delivery.extendAt = delivery.leaseEndsAt;
    return false;
  }

  async #extend(deliveries: Delivery[], wantedSeconds: number): Promise<EntryResult[]> {
    const sentAt = performance.now();
    const changes = deliveries.map((delivery) => ({
      receiptHandle: delivery.message.receiptHandle,
      seconds: extensionSeconds(delivery.receivedAt, sentAt, wantedSeconds),
    }));
    const { promise: extending, resolve: end } = Promise.withResolvers<void>();
    for (const delivery of deliveries) {
      delivery.extending = extending;
      // Until the answer is there, the end of the lease is the next thing to look at.
      delivery.extendAt = delivery.leaseEndsAt;
    }
    try {
      const results = await this.#queue.changeVisibility(changes);
      this.#observer.extended?.(this.#queue, results.filter(({ ok }) => ok).length);
      for (const [index, delivery] of deliveries.entries()) {
        this.#extended(delivery, results[index] ?? NO_RESULT, sentAt + changes[index]!.seconds * 1000);
      }
      return results;
    } catch (error) {
      for (const delivery of deliveries) this.#tryAgain(delivery);
      throw error;
    } finally {
      for (const delivery of deliveries) if (delivery.extending === extending) delivery.extending = undefined;
      end();
      this.#scheduleNext();
    }
  }

  #extended(delivery: Delivery, result: EntryResult, leaseEndsAt: number): void {
    if (result.ok) {
      delivery.leaseEndsAt = leaseEndsAt;
      delivery.extendAt = extensionTime(leaseEndsAt, this.#timeout);
    } else if (result.retryable) {
      this.#tryAgain(delivery);
    } else {
      this.lose(delivery, `the broker refused to extend it: ${describe(result)}`);
    }
  }

  #tryAgain(delivery: Delivery): void {
    delivery.extendAt = retryTime(delivery.leaseEndsAt, performance.now());
  }

  #scheduleNext(): void {
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const delivery of this.#held) {
      if (!isSettlers(delivery, now)) next = Math.min(next, delivery.extendAt, delivery.leaseEndsAt);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#schedule(next);
  }
}

/** True if nothing can be done about a lease but by the settler: a request is under way, or it is too late to extend it. */
function isSettlers({ settlementSent, phase, leaseEndsAt }: Delivery, now: number): boolean {
  return settlementSent || (phase === 'settling' && now >= leaseEndsAt);
}

function describe({ code, message }: EntryFailure): string {
  return `${code}: ${message}`;
}
