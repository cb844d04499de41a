/**
 * Sends messages to one queue: calls made together share requests of ten, within the broker's size limit, and each
 * gets its own result.
 */
import { randomUUID } from 'node:crypto';
import { Batcher } from '../brokers/batcher.ts';
import type { Broker, OutgoingMessage, Queue, SendResult } from '../brokers/broker.ts';
import { messageSize } from '../brokers/message-size.ts';
import { SendError } from './errors.ts';

interface Pending {
  readonly message: OutgoingMessage;
  readonly resolve: (sent: { messageId: string; sequenceNumber?: string }) => void;
  readonly reject: (error: Error) => void;
}

/** The message group on a FIFO queue when a call names none. */
const DEFAULT_GROUP = 'default';

export class Sender {
  readonly #broker: Broker;
  readonly #queue: Queue;
  readonly #batcher: Batcher<Pending>;
  /** FIFO: requests go one after the other, to arrive in order. */
  #previous: Promise<void> = Promise.resolve();

  constructor(broker: Broker, queue: Queue) {
    this.#broker = broker;
    this.#queue = queue;
    this.#batcher = new Batcher({
      delayMs: 0,
      send: (batch) => (queue.fifo ? this.#sendInOrder(batch) : this.#send(batch)),
      bytes: { of: ({ message }) => messageSize(message), max: broker.maxRequestBytes },
    });
  }

  /** Resolves when the broker has the message. Throws SendError or BrokerError. */
  async send(outgoing: OutgoingMessage): Promise<{ messageId: string; sequenceNumber?: string }> {
    const message = this.#queue.fifo ? this.#withGroup(outgoing) : outgoing;
    this.#checkLimits(message);
    return new Promise((resolve, reject) => this.#batcher.add({ message, resolve, reject }));
  }

  /** Two equal calls are two messages, unless the queue was made to tell them apart by their content. */
  #withGroup(message: OutgoingMessage): OutgoingMessage {
    return {
      groupId: DEFAULT_GROUP,
      ...(this.#queue.contentBasedDeduplication ? {} : { deduplicationId: randomUUID() }),
      ...message,
    };
  }

  #checkLimits(message: OutgoingMessage): void {
    const { maxDelaySeconds, maxRequestBytes, description } = this.#broker;
    const { delaySeconds = 0 } = message;
    if (!(delaySeconds >= 0 && delaySeconds <= maxDelaySeconds)) {
      throw new SendError(
        `A delay of ${delaySeconds} s was asked for; ${description} takes 0 to ${maxDelaySeconds} s. For later than that, let a scheduler send the message when it is due (on AWS: EventBridge Scheduler).`,
        message,
      );
    }
    const bytes = messageSize(message);
    if (bytes > maxRequestBytes) {
      throw new SendError(
        `The message has ${bytes} bytes; ${description} takes at most ${maxRequestBytes}. Store the data elsewhere and send a reference to it.`,
        message,
      );
    }
  }

  #sendInOrder(batch: Pending[]): Promise<void> {
    this.#previous = this.#previous.then(() => this.#send(batch));
    return this.#previous;
  }

  async #send(batch: Pending[]): Promise<void> {
    let results: SendResult[];
    try {
      results = await this.#queue.send(batch.map(({ message }) => message));
    } catch (error) {
      for (const { reject } of batch) reject(error as Error);
      return;
    }
    for (const [index, { message, resolve, reject }] of batch.entries()) {
      const result = results[index];
      if (result?.ok) {
        const { messageId, sequenceNumber } = result;
        resolve(sequenceNumber === undefined ? { messageId } : { messageId, sequenceNumber });
      } else {
        const { code, message: reason } = result ?? {
          code: 'NoResult',
          message: 'the broker gave no result for it',
        };
        reject(
          new SendError(
            `The queue "${this.#queue.name}" refused the message: ${code}: ${reason}`,
            message,
            code,
          ),
        );
      }
    }
  }
}
