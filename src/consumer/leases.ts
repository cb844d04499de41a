/**
 * Extends the leases of all held messages (received, running, settling), in batches, until they are settled or
 * cannot be extended any longer. Once a lease is over, another process may run the message: its worker's signal aborts,
 * and the only outcome that still counts is a late success.
 */
import type { EntryFailure, EntryResult, Queue } from '../brokers/broker.ts';
import { BrokerError, NO_RESULT } from '../brokers/errors.ts';
import type { Machine, Timer } from '../host/host.ts';
import type { HeldMessage } from './held-message.ts';
import { extensionSeconds, extensionTime, isDue, retryTime } from './lease-plan.ts';
import type { ConsumerObserver } from './observer.ts';

export interface LeasesOptions {
  readonly queue: Queue;
  /** How long a lease lasts if it is not extended, in seconds. */
  readonly visibilityTimeout: number;
  readonly observer: ConsumerObserver;
  readonly machine: Machine;
  /** Called when the lease of a message is over, after the message is marked. */
  readonly onLost: (held: HeldMessage) => void;
}

export class Leases {
  readonly #options: LeasesOptions;
  readonly #held = new Set<HeldMessage>();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  /** How many messages are held. */
  get size(): number {
    return this.#held.size;
  }

  /** All held messages, in the order received. */
  get held(): Iterable<HeldMessage> {
    return this.#held;
  }

  /** Starts extending the lease of a message just received. */
  hold(held: HeldMessage): void {
    held.extendNextAt(extensionTime(held.leaseEndsAt, this.#timeout));
    this.#held.add(held);
    this.#schedule(held.extendAt);
  }

  /** Stops extending a message's lease: it is settled, or will become visible when its visibility timeout ends. */
  release(held: HeldMessage): void {
    held.finish();
    this.#held.delete(held);
    if (this.#held.size === 0) this.#unschedule();
  }

  /** True if this process still owns the message. A lease that expired unnoticed becomes `uncertain`. */
  owns(held: HeldMessage): boolean {
    if (this.isOver(held)) {
      this.#end(held, 'uncertain', 'its visibility timeout ended while the process could not extend it');
    }
    return !held.leaseIsOver;
  }

  /** True if the lease is over, according to the broker or our own clock. Changes nothing. */
  isOver(held: HeldMessage): boolean {
    return held.leaseIsOver || this.#now >= held.leaseEndsAt;
  }

  /**
   * Extends a lease to at least this many seconds from now, at the worker's request. Throws LeaseLostError if the lease
   * is lost, BrokerError if the broker fails, RangeError if `seconds` is not a number above 0.
   */
  async extend(held: HeldMessage, seconds: number): Promise<void> {
    if (!(seconds > 0)) throw new RangeError(`extend() takes a number of seconds above 0, not ${seconds}.`);
    // One request at a time: with two, the broker might apply the shorter one last.
    while (held.extension) await held.extension;
    if (held.state !== 'running' || held.deleted) return;
    // Reading the signal records that the worker knows.
    if (!this.owns(held)) throw held.signal.reason;
    const [result = NO_RESULT] = await this.#extend([held], Math.max(Math.ceil(seconds), this.#timeout));
    if (held.leaseIsOver) throw held.signal.reason;
    if (!result.ok) throw new BrokerError('unreachable', `Extending the lease failed: ${describe(result)}`);
  }

  /** Extends a lease again after the request to settle its message failed. */
  resume(held: HeldMessage): void {
    held.settlementFailed();
    held.extendNextAt(Math.min(held.extendAt, extensionTime(held.leaseEndsAt, this.#timeout)));
    if (this.#held.has(held)) this.#schedule(held.extendAt);
  }

  /** Marks a lease as lost, tells the worker, and stops extending it. */
  lose(held: HeldMessage, reason: string): void {
    if (held.lease === 'uncertain') held.confirmLost();
    else this.#end(held, 'lost', reason);
  }

  get #timeout(): number {
    return this.#options.visibilityTimeout;
  }

  get #now(): number {
    return this.#options.machine.now();
  }

  #end(held: HeldMessage, lease: 'uncertain' | 'lost', reason: string): void {
    if (held.leaseIsOver || !this.#held.delete(held)) return;
    if (this.#held.size === 0) this.#unschedule();
    held.endLease(lease, reason);
    this.#options.observer.leaseLost?.(held, reason);
    this.#options.onLost(held);
  }

  #schedule(at: number): void {
    if (at >= this.#timerAt) return;
    this.#options.machine.clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = this.#options.machine.setTimeout(() => this.#extendDue(), Math.max(0, at - this.#now));
  }

  #unschedule(): void {
    this.#options.machine.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #extendDue(): void {
    this.#unschedule();
    const now = this.#now;
    const due: HeldMessage[] = [];
    for (const held of this.#held) {
      if (isUpToSettler(held, now)) continue;
      if (now >= held.leaseEndsAt) this.owns(held);
      else if (isDue(held.extendAt, now, this.#timeout)) due.push(held);
    }
    const extensible = due.filter((held) => this.#canExtend(held, now));
    const { maxBatch } = this.#options.queue.limits;
    for (let start = 0; start < extensible.length; start += maxBatch) {
      const batch = extensible.slice(start, start + maxBatch);
      this.#extend(batch, this.#timeout).catch((error: Error) => {
        this.#options.observer.extensionFailed?.(error, batch.length);
      });
    }
    this.#scheduleNext();
  }

  /** Near the end of its 12 hours, a lease is as long as it can be: let it run out. */
  #canExtend(held: HeldMessage, now: number): boolean {
    const seconds = extensionSeconds(held.receivedAt, now, this.#timeout);
    if (now + seconds * 1000 > held.leaseEndsAt) return true;
    held.extendNextAt(held.leaseEndsAt);
    return false;
  }

  async #extend(batch: HeldMessage[], wantedSeconds: number): Promise<EntryResult[]> {
    const sentAt = this.#now;
    const changes = batch.map((held) => ({
      receiptHandle: held.message.receiptHandle,
      seconds: extensionSeconds(held.receivedAt, sentAt, wantedSeconds),
    }));
    const { promise: extension, resolve: end } = Promise.withResolvers<void>();
    for (const held of batch) {
      held.extensionBegins(extension);
      // Until the response arrives, the next thing to check is the end of the lease.
      held.extendNextAt(held.leaseEndsAt);
    }
    try {
      const results = await this.#options.queue.changeVisibility(changes);
      this.#options.observer.extended?.(this.#options.queue, results.filter(({ ok }) => ok).length);
      for (const [index, held] of batch.entries()) {
        this.#extended(held, results[index] ?? NO_RESULT, sentAt + changes[index]!.seconds * 1000);
      }
      return results;
    } catch (error) {
      for (const held of batch) this.#tryAgain(held);
      throw error;
    } finally {
      for (const held of batch) held.extensionEnds(extension);
      end();
      this.#scheduleNext();
    }
  }

  #extended(held: HeldMessage, result: EntryResult, leaseEndsAt: number): void {
    if (result.ok) {
      held.extended(leaseEndsAt, extensionTime(leaseEndsAt, this.#timeout));
    } else if (result.retryable) {
      this.#tryAgain(held);
    } else {
      this.lose(held, `the broker refused to extend it: ${describe(result)}`);
    }
  }

  #tryAgain(held: HeldMessage): void {
    held.extendNextAt(retryTime(held.leaseEndsAt, this.#now));
  }

  #scheduleNext(): void {
    const now = this.#now;
    let next = Number.POSITIVE_INFINITY;
    for (const held of this.#held) {
      if (!isUpToSettler(held, now)) next = Math.min(next, held.extendAt, held.leaseEndsAt);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#schedule(next);
  }
}

/** True if only the settler can act on a lease: its request is in progress, or it is too late to extend the lease. */
function isUpToSettler({ settlementSent, state, leaseEndsAt }: HeldMessage, now: number): boolean {
  return settlementSent || ((state === 'settling' || state === 'deleting') && now >= leaseEndsAt);
}

function describe({ code, message }: EntryFailure): string {
  return `${code}: ${message}`;
}
