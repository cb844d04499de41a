/** Gives the running worker its message without passing it through every function (AsyncLocalStorage). */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Message, MessageAttributes } from '../brokers/broker.ts';

/** A log whose lines name the message. An error is written with its stack and its causes. */
export type MessageLog = Readonly<
  Record<'error' | 'warn' | 'info' | 'debug', (message: string, error?: unknown) => void>
>;

/** A log that discards everything. */
export const silentLog: MessageLog = { error() {}, warn() {}, info() {}, debug() {} };

/** What a worker can find out about its message, and do with it. */
export interface CurrentMessage {
  readonly id: string;
  readonly body: string;
  /** The name of the queue it came from. */
  readonly queue: string;
  /** How often the message has been received, including this time. */
  readonly receiveCount: number;
  readonly attributes: MessageAttributes;
  /** When it was sent, in milliseconds since the epoch. */
  readonly sentAt: number;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
  /** Aborts when the work is no longer wanted: the handler timeout or drain timeout is over, or the lease was lost. */
  readonly signal: AbortSignal;
  /** Writes to the container's log. */
  readonly log: MessageLog;
  /**
   * Keeps the message invisible to other processes for at least `seconds` from now (up to 12 hours from its receive).
   * The container does this on its own while the worker runs; call it only if the worker is about to block the process.
   * Does nothing after the worker has ended, or with `delete_on_start`. Rejects with LeaseLostError if this process no
   * longer owns the message, BrokerError if the broker fails, RangeError if `seconds` is not a number above 0.
   */
  extend(seconds: number): Promise<void>;
}

/** Shared by all copies of the package in a process. */
const key = Symbol.for('sqs-containers.currentMessage');
const shared = globalThis as { [key]?: AsyncLocalStorage<CurrentMessage> };
shared[key] ??= new AsyncLocalStorage<CurrentMessage>();
const storage = shared[key];

/** The message being handled. Throws an error outside a worker. */
export function currentMessage(): CurrentMessage {
  const current = storage.getStore();
  if (!current) throw new Error('currentMessage() was called outside a worker: no message is being handled.');
  return current;
}

/** The context in which a message is handled. */
export interface MessageContext extends Pick<CurrentMessage, 'signal' | 'log' | 'extend'> {
  readonly message: Message;
  readonly queue: { readonly name: string };
}

/** Runs `handle` with the message of `context` as the current one. */
export function withCurrentMessage<Result>(context: MessageContext, handle: () => Result): Result {
  return storage.run(new Current(context), handle);
}

/** Uses getters instead of a copy: most workers never ask, and the signal is created on first use. */
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
