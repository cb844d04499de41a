/** The message that the running worker handles, without passing it through every function (AsyncLocalStorage). */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Message, MessageAttributes } from '../brokers/broker.ts';

/** A log whose lines name the message. An error is written with its stack and its causes. */
export type MessageLog = Readonly<
  Record<'error' | 'warn' | 'info' | 'debug', (message: string, error?: unknown) => void>
>;

/** For whoever has no log. */
export const silentLog: MessageLog = { error() {}, warn() {}, info() {}, debug() {} };

/** What a worker can ask about its message, and do with it. */
export interface CurrentMessage {
  readonly id: string;
  readonly body: string;
  /** The name of the queue it came from. */
  readonly queue: string;
  /** How often the message was received, this time included. */
  readonly receiveCount: number;
  readonly attributes: MessageAttributes;
  /** When it was sent: milliseconds since the epoch. */
  readonly sentAt: number;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
  /** Aborts when the work is no longer wanted: its time or the drain's is over, or the lease was lost. */
  readonly signal: AbortSignal;
  /** Writes to the container's log. */
  readonly log: MessageLog;
  /**
   * Keeps the message invisible to others for at least `seconds` from now (up to 12 hours from its receive). The
   * container does this by itself for as long as it runs; this is for a worker that is about to block the process.
   * Does nothing once the worker has ended, and with `delete_on_start`. Rejects with LeaseLostError if the message is no
   * longer this process's, with BrokerError if the broker fails, with RangeError if `seconds` is not a number above 0.
   */
  extend(seconds: number): Promise<void>;
}

/** One storage for every copy of the package in a process. */
const key = Symbol.for('sqs-containers.currentMessage');
const shared = globalThis as { [key]?: AsyncLocalStorage<CurrentMessage> };
shared[key] ??= new AsyncLocalStorage<CurrentMessage>();
const storage = shared[key];

/** The message being handled. Throws outside a worker. */
export function currentMessage(): CurrentMessage {
  const current = storage.getStore();
  if (!current)
    throw new Error('currentMessage() was called outside a worker: no message is being handled here.');
  return current;
}

/** What a message is handled in. */
export interface MessageContext extends Pick<CurrentMessage, 'signal' | 'log' | 'extend'> {
  readonly message: Message;
  readonly queue: { readonly name: string };
}

/** Runs `handle` with the message of `context` as the current one. */
export function withCurrentMessage<Result>(context: MessageContext, handle: () => Result): Result {
  return storage.run(new Current(context), handle);
}

/** Getters instead of a copy: most workers never ask, and the signal is made only when asked for. */
class Current implements CurrentMessage {
  readonly #context: MessageContext;

  constructor(context: MessageContext) {
    this.#context = context;
  }

  get id() {
    return this.#context.message.id;
  }
  get body() {
    return this.#context.message.body;
  }
  get queue() {
    return this.#context.queue.name;
  }
  get receiveCount() {
    return this.#context.message.receiveCount;
  }
  get attributes() {
    return this.#context.message.attributes;
  }
  get sentAt() {
    return this.#context.message.sentAt;
  }
  get groupId() {
    return this.#context.message.groupId;
  }
  get deduplicationId() {
    return this.#context.message.deduplicationId;
  }
  get signal() {
    return this.#context.signal;
  }
  get log() {
    return this.#context.log;
  }
  extend(seconds: number) {
    return this.#context.extend(seconds);
  }
}
