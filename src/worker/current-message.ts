/** The message that the running worker handles, without passing it through every function (AsyncLocalStorage). */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Message, MessageAttributes } from '../brokers/broker.ts';

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
  /** Aborts when the work is no longer wanted: the lease was lost, or the drain's time is over. */
  readonly signal: AbortSignal;
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

/** What a message is handled in: which queue it came from, and the signal that may end it. */
export interface MessageContext {
  readonly message: Message;
  readonly queue: { readonly name: string };
  readonly signal: AbortSignal;
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
}
