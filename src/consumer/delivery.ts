/** One message held by this process: its state from receive to confirmed settling has this one owner. */
import type { Message, Queue } from '../brokers/broker.ts';
import type { MessageLog } from '../worker/current-message.ts';
import type { Source } from './source.ts';

/**
 * - `waiting`: received, not started
 * - `running`: its worker runs
 * - `settling`: its outcome is decided, the broker has not confirmed it yet
 * - `done`: confirmed, or given up; nothing more happens to it
 */
export type Phase = 'waiting' | 'running' | 'settling' | 'done';

/**
 * - `held`: no other process has the message
 * - `uncertain`: over by our own clock. Another process may have it, but a message that was handled is still deleted
 * - `lost`: the broker said so, or the worker was told to stop and may have left its work undone
 */
export type Lease = 'held' | 'uncertain' | 'lost';

/** The reason that a worker's signal aborts with when its message may be run by another process. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** What is known of a message when it comes. */
export type Received = Pick<
  Delivery,
  'message' | 'source' | 'group' | 'crashes' | 'receivedAt' | 'leaseEndsAt'
>;

export class Delivery {
  readonly message: Message;
  readonly source: Source;
  /** Messages of the same group run one at a time, in their order; undefined: beside any other. */
  readonly group: string | undefined;
  /** How many processes ended while they ran it. */
  readonly crashes: number;
  phase: Phase = 'waiting';
  /** When it was received: milliseconds of `performance.now()`. */
  readonly receivedAt: number;
  /** When it was given to its worker: milliseconds of `performance.now()`. */
  startedAt = 0;
  /** When its visibility timeout ends unless it is extended: milliseconds of `performance.now()`. */
  leaseEndsAt: number;
  /** When the next extension is due: milliseconds of `performance.now()`. */
  extendAt = Number.POSITIVE_INFINITY;
  /** The extension under way, if one is. */
  extending: Promise<void> | undefined;
  /** True while a request is under way that settles it: an extension now would undo that or fail. */
  settlementSent = false;
  lease: Lease = 'held';
  /** True once it is deleted, before it is handled (`delete_on_start`): nothing is left to settle. */
  deleted = false;
  #abort: AbortController | undefined;
  #signalTaken = false;

  constructor({ message, source, group, crashes, receivedAt, leaseEndsAt }: Received) {
    this.message = message;
    this.source = source;
    this.group = group;
    this.crashes = crashes;
    this.receivedAt = receivedAt;
    this.leaseEndsAt = leaseEndsAt;
  }

  get queue(): Queue {
    return this.source.queue;
  }

  /** True once another process may have the message. */
  get leaseLost(): boolean {
    return this.lease !== 'held';
  }

  /** A log whose lines name the message. */
  get log(): MessageLog {
    return this.source.logOf(this);
  }

  /** See `CurrentMessage`. */
  extend(seconds: number): Promise<void> {
    return this.source.leases.extend(this, seconds);
  }

  /** Aborts when the work is no longer wanted. Made when first asked for: most workers never do. */
  get signal(): AbortSignal {
    this.#signalTaken = true;
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  /** Why the work is no longer wanted, if it is not. */
  get abortReason(): unknown {
    return this.#abort?.signal.reason;
  }

  /** True if the worker may know that its lease is over: it may then have returned early. */
  get workerKnowsOfLoss(): boolean {
    return this.#signalTaken && this.abortReason instanceof LeaseLostError;
  }

  /** Tells the worker that its work is no longer wanted. */
  abort(reason: Error): void {
    this.#abort ??= new AbortController();
    this.#abort.abort(reason);
  }
}
