/**
 * Inline tasks: while this runs, `delay` handles the task in this process before it resolves. Messages are encoded and
 * decoded as in production, but there is no container, no waiting and no retry. For specs that only need the effect.
 */
import type { Message, OutgoingMessage, Queue, SendResult } from '../brokers/broker.ts';
import { MemoryBroker } from '../brokers/memory/broker.ts';
import { MemoryQueue } from '../brokers/memory/queue.ts';
import { replaceBrokers } from '../producer/connections.ts';
import { handlingOf } from '../tasks/registry.ts';
import { silentLog, withCurrentMessage } from '../worker/current-message.ts';
import { isFailedAttempt } from '../worker/errors.ts';

export interface Inline {
  /** The handled messages, in order. */
  readonly handled: readonly Message[];
  /** Sends tasks to their queues again. */
  stop(): void;
}

/** Starts handling tasks inline. If a handler throws, the `delay` that sent the task throws the same error. */
export function runInline(): Inline {
  const handled: Message[] = [];
  const broker = new InlineBroker();
  replaceBrokers(broker, async (messageId) => {
    const sent = broker.take(messageId);
    if (!sent) return; // A duplicate, which a FIFO queue drops.
    handled.push(sent.message);
    await handle(sent);
  });
  return { handled, stop: () => replaceBrokers(undefined) };
}

interface SentMessage {
  readonly message: Message;
  readonly queue: Queue;
}

class InlineBroker extends MemoryBroker {
  readonly #sent = new Map<string, SentMessage>();

  override async open(name: string): Promise<InlineQueue> {
    return new InlineQueue(name, this, (message, queue) => this.#sent.set(message.id, { message, queue }));
  }

  /** Removes and returns a sent message; undefined if it was already taken. */
  take(messageId: string): SentMessage | undefined {
    const sent = this.#sent.get(messageId);
    this.#sent.delete(messageId);
    return sent;
  }
}

type OnMessage = (message: Message, queue: Queue) => void;

class InlineQueue extends MemoryQueue {
  readonly #onMessage: OnMessage;

  constructor(name: string, broker: MemoryBroker, onMessage: OnMessage) {
    super(name, broker);
    this.#onMessage = onMessage;
  }

  /** Passes each message on as it would be received, ignoring its delay. */
  override async send(outgoing: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const results = await super.send(outgoing.map(({ delaySeconds: _, ...message }) => message));
    for (const message of await this.receive({ max: this.limits.maxBatch, waitSeconds: 0 }))
      this.#onMessage(message, this);
    await this.purge();
    return results;
  }
}

async function handle({ message, queue }: SentMessage): Promise<void> {
  const context = {
    message,
    queue,
    signal: new AbortController().signal,
    log: silentLog,
    extend: async () => {},
  };
  try {
    await withCurrentMessage(context, () => handlingOf(message).handleMessage(message, true));
  } catch (error) {
    throw isFailedAttempt(error) ? error.cause : error;
  }
}
