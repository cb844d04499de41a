/**
 * Keeps the visibility timeout of everything that is held (received, running, settling), in batches of ten, until it
 * is settled or can be kept no longer. A message whose lease is over may be run by another process: its worker's
 * signal aborts, and of its outcomes only a late success still counts.
 */
import type { EntryFailure, EntryResult, Queue } from '../brokers/broker.ts';
import { BrokerError, NO_RESULT } from '../brokers/errors.ts';
import { BATCH_ENTRIES } from '../brokers/rules/limits.ts';
import type { Machine, Timer } from '../host/host.ts';
import type { HeldMessage } from './held-message.ts';
import { extensionSeconds, extensionTime, isDue, retryTime } from './lease-plan.ts';
import type { ConsumerObserver } from './observer.ts';

export interface LeasesOptions {
  readonly queue: Queue;
  /** How long a lease lasts unless it is extended, in seconds. */
  readonly visibilityTimeout: number;
  readonly observer: ConsumerObserver;
  readonly machine: Machine;
  /** Called when the lease of a message is over, after the message was marked. */
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

  /** Everything held, in the order of its receive. */
  get held(): Iterable<HeldMessage> {
    return this.#held;
  }

  /** Starts to look after a message just received. */
  hold(held: HeldMessage): void {
    held.extendNextAt(extensionTime(held.leaseEndsAt, this.#timeout));
    this.#held.add(held);
    this.#schedule(held.extendAt);
  }

  /** Stops looking after a message: it is settled, or left to come back when its visibility timeout ends. */
  release(held: HeldMessage): void {
    held.finish();
    this.#held.delete(held);
    if (this.#held.size === 0) this.#unschedule();
  }

  /** True if the message is still this process's; marks its lease as uncertain if it ended unnoticed (a blocked process). */
  owns(held: HeldMessage): boolean {
    if (this.isOver(held)) {
      this.#end(held, 'uncertain', 'its visibility timeout ended while the process could not extend it');
    }
    return !held.leaseIsOver;
  }

  /** True if the lease is over, by the broker's word or by our own clock. Changes nothing. */
  isOver(held: HeldMessage): boolean {
    return held.leaseIsOver || this.#now >= held.leaseEndsAt;
  }

  /**
   * Makes a lease last for at least so many seconds from now, as a worker asks. Throws LeaseLostError if it is lost,
   * BrokerError if the broker fails, RangeError if `seconds` is not a number above 0.
   */
  async extend(held: HeldMessage, seconds: number): Promise<void> {
    if (!(seconds > 0)) throw new RangeError(`extend() takes seconds, a number above 0, not ${seconds}.`);
    // One request at a time: of two, the broker might heed the shorter one last.
    while (held.extension) await held.extension;
    if (held.state !== 'running' || held.deleted) return;
    // Asking for the signal notes that the worker knows.
    if (!this.owns(held)) throw held.signal.reason;
    const [result = NO_RESULT] = await this.#extend([held], Math.max(Math.ceil(seconds), this.#timeout));
    if (held.leaseIsOver) throw held.signal.reason;
    if (!result.ok) throw new BrokerError('unreachable', `The lease was not extended: ${describe(result)}`);
  }

  /** Looks after a lease again: the request that was to settle the message failed. */
  resume(held: HeldMessage): void {
    held.settlementFailed();
    held.extendNextAt(Math.min(held.extendAt, extensionTime(held.leaseEndsAt, this.#timeout)));
    if (this.#held.has(held)) this.#schedule(held.extendAt);
  }

  /** Marks a message as no longer this process's for certain, tells its worker, and stops looking after it. */
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
      if (isSettlers(held, now)) continue;
      if (now >= held.leaseEndsAt) this.owns(held);
      else if (isDue(held.extendAt, now, this.#timeout)) due.push(held);
    }
    const extensible = due.filter((held) => this.#canExtend(held, now));
    for (let start = 0; start < extensible.length; start += BATCH_ENTRIES) {
      const batch = extensible.slice(start, start + BATCH_ENTRIES);
      this.#extend(batch, this.#timeout).catch((error: Error) => {
        this.#options.observer.extensionFailed?.(error, batch.length);
      });
    }
    this.#scheduleNext();
  }

  /** Near the end of its 12 hours a lease has as much as it can get: it is left to run out. */
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
      // Until the answer is there, the end of the lease is the next thing to look at.
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
      if (!isSettlers(held, now)) next = Math.min(next, held.extendAt, held.leaseEndsAt);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#schedule(next);
  }
}

/** True if nothing can be done about a lease but by the settler: a request is under way, or it is too late to extend it. */
function isSettlers({ settlementSent, state, leaseEndsAt }: HeldMessage, now: number): boolean {
  return settlementSent || ((state === 'settling' || state === 'deleting') && now >= leaseEndsAt);
}

function describe({ code, message }: EntryFailure): string {
  return `${code}: ${message}`;
}
