/**
 * One message held by this process. Only this class changes the message's state, from the receive to the confirmed end,
 * and its lease, the right to handle it. The methods allow the transitions in the tables below and throw on any other.
 */
import type { Message, Queue } from '../brokers/broker.ts';

/**
 * - `received`: waiting for its turn
 * - `deleting`: being deleted before it is handled (`delete_on_start`)
 * - `running`: its worker is running
 * - `settling`: its outcome is decided but not yet confirmed by the broker
 * - `done`: confirmed or given up; nothing more happens to it
 */
export type MessageState = 'received' | 'deleting' | 'running' | 'settling' | 'done';

/**
 * - `held`: no other process has the message
 * - `uncertain`: expired by our own clock. Another process may have the message; if we handled it, we still delete it
 * - `lost`: the broker reported it lost, or the worker was told to stop and may have left its work unfinished
 */
export type Lease = 'held' | 'uncertain' | 'lost';

/** The states that may follow each state. */
export const NEXT_STATES: Readonly<Record<MessageState, readonly MessageState[]>> = {
  // If it does not run: returned to the queue, or already handled here (settling); lease over (done).
  received: ['deleting', 'running', 'settling', 'done'],
  // If it is not deleted: returned to the queue (settling); lease over, or already handled here (done).
  deleting: ['running', 'settling', 'done'],
  running: ['settling'],
  settling: ['done'],
  done: [],
};

/** The lease states that may follow each lease state. */
export const NEXT_LEASES: Readonly<Record<Lease, readonly Lease[]>> = {
  held: ['uncertain', 'lost'],
  uncertain: ['lost'],
  lost: [],
};

/** The abort reason of a worker's signal when another process may run its message. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** The abort reason of a worker's signal when the worker takes too long; also the error of its message. */
export class HandlerTimeoutError extends Error {
  override readonly name = 'HandlerTimeoutError';
}

/** The abort reason of a worker's signal when the drain timeout is over. */
export class DrainTimeoutError extends Error {
  override readonly name = 'DrainTimeoutError';
}

/** What is known about a message when it arrives. Times are in milliseconds of the host's `now()`. */
export interface Received {
  readonly message: Message;
  /** The queue that it came from. Only data: not a path to the queue's receiver or settler. */
  readonly queue: Pick<Queue, 'name' | 'fifo'>;
  /** Messages in the same group run one at a time, in order; undefined: runs alongside any other. */
  readonly group: string | undefined;
  /** How many processes crashed while running it. */
  readonly crashes: number;
  readonly receivedAt: number;
  /** When its visibility timeout ends if it is not extended. */
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

  /** Marks it as being deleted before it is handled. */
  deleteFirst(): void {
    this.#become('deleting');
  }

  /** Marks its worker as started, at `now`. */
  start(now: number): void {
    if (this.#state === 'deleting' && !this.#deleted) this.#refuse('state', this.#state, 'running');
    this.#become('running');
    this.#startedAt = now;
  }

  /** Marks its outcome as decided. */
  settle(): void {
    this.#become('settling');
  }

  /** Marks its outcome as confirmed or given up. */
  finish(): void {
    this.#become('done');
  }

  /** When its worker started; undefined before that. */
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

  /** When its visibility timeout ends if it is not extended. */
  get leaseEndsAt(): number {
    return this.#leaseEndsAt;
  }

  /** When the next extension is due. */
  get extendAt(): number {
    return this.#extendAt;
  }

  /** Records that the broker confirmed the lease until `leaseEndsAt`; the next extension is due at `extendAt`. */
  extended(leaseEndsAt: number, extendAt: number): void {
    this.#leaseEndsAt = leaseEndsAt;
    this.#extendAt = extendAt;
  }

  /** Moves the next extension. */
  extendNextAt(extendAt: number): void {
    this.#extendAt = extendAt;
  }

  /** The request to extend it that is in progress, if any. */
  get extension(): Promise<void> | undefined {
    return this.#extension;
  }

  extensionBegins(extension: Promise<void>): void {
    this.#extension = extension;
  }

  /** Forgets this request, unless a newer one has replaced it. */
  extensionEnds(extension: Promise<void>): void {
    if (this.#extension === extension) this.#extension = undefined;
  }

  /** Ends the lease, and tells the worker why. */
  endLease(lease: 'uncertain' | 'lost', reason: string): void {
    this.#becomeLease(lease);
    this.abort(new LeaseLostError(`The lease of message ${this.message.id} was lost: ${reason}.`));
  }

  /** Turns an uncertain lease into a lost one. The worker's signal has already aborted. */
  confirmLost(): void {
    this.#becomeLease('lost');
  }

  /** True while a request that settles it is in progress: extending the lease now would undo that or fail. */
  get settlementSent(): boolean {
    return this.#settlementSent;
  }

  settlementBegins(): void {
    this.#settlementSent = true;
  }

  /** The request failed: the lease must be extended again. */
  settlementFailed(): void {
    this.#settlementSent = false;
  }

  /** True if it was deleted before it was handled: no other process can receive it, and nothing is left to settle. */
  get deleted(): boolean {
    return this.#deleted;
  }

  /** The broker confirmed the delete before the start: the lease never ends. */
  confirmDeleted(): void {
    if (this.#state !== 'deleting') this.#refuse('state', this.#state, 'deleted before its start');
    this.#deleted = true;
    this.#leaseEndsAt = this.#extendAt = Number.POSITIVE_INFINITY;
  }

  /** Aborts when the work is no longer wanted. Created on first use: most workers never ask for it. */
  get signal(): AbortSignal {
    this.#signalTaken = true;
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  /** Why the work is no longer wanted, if it is not. */
  get abortReason(): unknown {
    return this.#abort?.signal.reason;
  }

  /** True if the worker may know that its lease is over, and so may have returned early. */
  get workerKnowsOfLoss(): boolean {
    return this.#signalTaken && this.abortReason instanceof LeaseLostError;
  }

  /** Tells the worker that its work is no longer wanted; only the first reason counts. */
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
