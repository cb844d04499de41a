/**
 * One message held by this process. Nothing else writes its state, from the receive to the confirmed end, or that of its
 * lease, which is the right to handle it. The methods make the transitions of the tables below and throw on any other.
 */
import type { Message, Queue } from '../brokers/broker.ts';

/**
 * - `received`: waits for its turn
 * - `deleting`: is being deleted before it is handled (`delete_on_start`)
 * - `running`: its worker runs
 * - `settling`: its outcome is decided, and the broker has not confirmed it yet
 * - `done`: confirmed or given up; nothing more happens to it
 */
export type MessageState = 'received' | 'deleting' | 'running' | 'settling' | 'done';

/**
 * - `held`: no other process has the message
 * - `uncertain`: over by our own clock. Another process may have it, but a message that was handled is still deleted
 * - `lost`: the broker said so, or the worker was told to stop and may have left its work undone
 */
export type Lease = 'held' | 'uncertain' | 'lost';

/** What may follow each state. */
export const NEXT_STATES: Readonly<Record<MessageState, readonly MessageState[]>> = {
  // Not run: given back, or handled here before (settling); its lease is over (done).
  received: ['deleting', 'running', 'settling', 'done'],
  // Not deleted: given back (settling); its lease is over, or this process handled it before (done).
  deleting: ['running', 'settling', 'done'],
  running: ['settling'],
  settling: ['done'],
  done: [],
};

/** What may follow each state of the lease. */
export const NEXT_LEASES: Readonly<Record<Lease, readonly Lease[]>> = {
  held: ['uncertain', 'lost'],
  uncertain: ['lost'],
  lost: [],
};

/** The reason that a worker's signal aborts with when its message may be run by another process. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** The reason that a worker's signal aborts with when it took too long, and the error of its message. */
export class HandlerTimeoutError extends Error {
  override readonly name = 'HandlerTimeoutError';
}

/** The reason that a worker's signal aborts with when the drain's time is over. */
export class DrainTimeoutError extends Error {
  override readonly name = 'DrainTimeoutError';
}

/** What is known of a message when it comes. Times are in milliseconds of the host's `now()`. */
export interface Received {
  readonly message: Message;
  /** The queue that it came from: data, not the way to its receiver or settler. */
  readonly queue: Pick<Queue, 'name' | 'fifo'>;
  /** Messages of the same group run one at a time, in their order; undefined: beside any other. */
  readonly group: string | undefined;
  /** How many processes ended while they ran it. */
  readonly crashes: number;
  readonly receivedAt: number;
  /** When its visibility timeout ends unless it is extended. */
  readonly leaseEndsAt: number;
}

export class HeldMessage {
  readonly message: Received['message'];
  readonly queue: Received['queue'];
  readonly group: Received['group'];
  readonly crashes: number;
  readonly receivedAt: number;
  #state: MessageState = 'received';
  #lease: Lease = 'held';
  #leaseEndsAt: number;
  #extendAt = Number.POSITIVE_INFINITY;
  #extension: Promise<void> | undefined;
  #settlementSent = false;
  #deleted = false;
  #startedAt: number | undefined;
  #abort: AbortController | undefined;
  #signalTaken = false;

  constructor({ message, queue, group, crashes, receivedAt, leaseEndsAt }: Received) {
    this.message = message;
    this.queue = queue;
    this.group = group;
    this.crashes = crashes;
    this.receivedAt = receivedAt;
    this.#leaseEndsAt = leaseEndsAt;
  }

  get state(): MessageState {
    return this.#state;
  }

  /** It is being deleted before it is handled. */
  deleteFirst(): void {
    this.#become('deleting');
  }

  /** Its worker starts, at `now`. */
  start(now: number): void {
    if (this.#state === 'deleting' && !this.#deleted) this.#refuse('state', this.#state, 'running');
    this.#become('running');
    this.#startedAt = now;
  }

  /** Its outcome is decided. */
  settle(): void {
    this.#become('settling');
  }

  /** Its outcome is confirmed, or given up. */
  finish(): void {
    this.#become('done');
  }

  /** When its worker was started; undefined before. */
  get startedAt(): number | undefined {
    return this.#startedAt;
  }

  get lease(): Lease {
    return this.#lease;
  }

  /** True once another process may have the message. */
  get leaseIsOver(): boolean {
    return this.#lease !== 'held';
  }

  /** When its visibility timeout ends unless it is extended. */
  get leaseEndsAt(): number {
    return this.#leaseEndsAt;
  }

  /** When the next extension is due. */
  get extendAt(): number {
    return this.#extendAt;
  }

  /** The lease lasts until `leaseEndsAt`, as the broker has confirmed, and is to be extended at `extendAt`. */
  extended(leaseEndsAt: number, extendAt: number): void {
    this.#leaseEndsAt = leaseEndsAt;
    this.#extendAt = extendAt;
  }

  /** Moves the next extension. */
  extendNextAt(extendAt: number): void {
    this.#extendAt = extendAt;
  }

  /** The request to extend it that is under way, if there is one. */
  get extension(): Promise<void> | undefined {
    return this.#extension;
  }

  extensionBegins(extension: Promise<void>): void {
    this.#extension = extension;
  }

  /** An older request ends without a trace if a newer one is under way. */
  extensionEnds(extension: Promise<void>): void {
    if (this.#extension === extension) this.#extension = undefined;
  }

  /** Ends the lease, and tells the worker why. */
  endLease(lease: 'uncertain' | 'lost', reason: string): void {
    this.#becomeLease(lease);
    this.abort(new LeaseLostError(`The lease of message ${this.message.id} was lost: ${reason}.`));
  }

  /** What was uncertain is certain: the lease is lost. The worker was told before. */
  confirmLost(): void {
    this.#becomeLease('lost');
  }

  /** True while a request is under way that settles it: an extension now would undo that or fail. */
  get settlementSent(): boolean {
    return this.#settlementSent;
  }

  settlementBegins(): void {
    this.#settlementSent = true;
  }

  /** The request failed: the lease needs looking after again. */
  settlementFailed(): void {
    this.#settlementSent = false;
  }

  /** True once it was deleted before it is handled: nobody else can have it, and nothing is left to settle. */
  get deleted(): boolean {
    return this.#deleted;
  }

  /** The broker has confirmed the delete that comes before its start: the lease never ends. */
  confirmDeleted(): void {
    if (this.#state !== 'deleting') this.#refuse('state', this.#state, 'deleted before its start');
    this.#deleted = true;
    this.#leaseEndsAt = this.#extendAt = Number.POSITIVE_INFINITY;
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

  /** Tells the worker that its work is no longer wanted; the first reason stays. */
  abort(reason: Error): void {
    this.#abort ??= new AbortController();
    this.#abort.abort(reason);
  }

  #become(next: MessageState): void {
    if (!NEXT_STATES[this.#state].includes(next)) this.#refuse('state', this.#state, next);
    this.#state = next;
  }

  #becomeLease(next: Lease): void {
    if (!NEXT_LEASES[this.#lease].includes(next)) this.#refuse('lease', this.#lease, next);
    this.#lease = next;
  }

  #refuse(what: string, from: string, to: string): never {
    throw new Error(`The ${what} of message ${this.message.id} cannot go from ${from} to ${to}.`);
  }
}
