/**
 * Tasks at once: while this runs, `delay` handles a task here before it resolves. What is sent is written and read as in
 * production; there is no container and no retry. For specs that want the effect and nothing else.
 */
import type { Message, OutgoingMessage, SendResult } from '../src/brokers/broker.ts';
import { MemoryBroker } from '../src/brokers/memory/broker.ts';
import { MemoryQueue } from '../src/brokers/memory/queue.ts';
import { replaceBrokers } from '../src/producer/connections.ts';
import { handlingOf } from '../src/tasks/worker.ts';
import { silentLog, withCurrentMessage } from '../src/worker/current-message.ts';
import { isFailedAttempt } from '../src/worker/errors.ts';

export interface Inline {
  /** What was handled, in order. */
  readonly handled: readonly Message[];
  /** Sends tasks to their queues again. */
  stop(): void;
}

/** Starts it. What a handler throws, the `delay` that sent it throws. */
export function runInline(): Inline {
  const handled: Message[] = [];
  replaceBrokers(new InlineBroker(handled));
  return { handled, stop: () => replaceBrokers(undefined) };
}

class InlineBroker extends MemoryBroker {
  readonly #handled: Message[];

  constructor(handled: Message[]) {
    super();
    this.#handled = handled;
  }

  override async open(name: string): Promise<MemoryQueue> {
    const queue = new InlineQueue(name, this);
    queue.onMessage = (message) => this.#handled.push(message);
    return queue;
  }
}

class InlineQueue extends MemoryQueue {
  onMessage: (message: Message) => void = () => {};

  /** Handles each message before it says that it was sent. Throws what its handler threw. */
  override async send(outgoing: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const results = await super.send(outgoing.map(({ delaySeconds: _, ...message }) => message));
    const messages = await this.receive({ max: 10, waitSeconds: 0 });
    await this.purge();
    for (const message of messages) await this.#handle(message);
    return results;
  }

  async #handle(message: Message): Promise<void> {
    this.onMessage(message);
    const context = {
      message,
      queue: this,
      signal: new AbortController().signal,
      log: silentLog,
      extend: async () => {},
    };
    try {
      await withCurrentMessage(context, () => handlingOf(message).handleMessage(message));
    } catch (error) {
      throw isFailedAttempt(error) ? error.cause : error;
    }
  }
}
