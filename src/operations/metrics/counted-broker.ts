/** A broker that tells of each request: which action of the SQS API it is (others have the same ones), and what it carried. */
import type {
  Broker,
  CreateOptions,
  EntryResult,
  Message,
  OutgoingMessage,
  Queue,
  QueueCounts,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../../brokers/broker.ts';
import { messageSize } from '../../brokers/message-size.ts';

/** `bytes`: what the request carried, of bodies and attributes. */
export type OnRequest = (queue: string, action: string, bytes: number) => void;

export class CountedBroker implements Broker {
  readonly description: string;
  readonly maxDelaySeconds: number;
  readonly maxRequestBytes: number;
  readonly makesQueues: boolean;
  readonly #broker: Broker;
  readonly #onRequest: OnRequest;

  constructor(broker: Broker, onRequest: OnRequest) {
    this.description = broker.description;
    this.maxDelaySeconds = broker.maxDelaySeconds;
    this.maxRequestBytes = broker.maxRequestBytes;
    this.makesQueues = broker.makesQueues;
    this.#broker = broker;
    this.#onRequest = onRequest;
  }

  async open(name: string): Promise<Queue> {
    return new CountedQueue(await this.#broker.open(name), this.#onRequest);
  }

  create(name: string, options?: CreateOptions): Promise<void> {
    return this.#broker.create(name, options);
  }

  remove(name: string): Promise<void> {
    return this.#broker.remove(name);
  }

  list(prefix?: string): Promise<string[]> {
    return this.#broker.list(prefix);
  }

  close(): Promise<void> {
    return this.#broker.close();
  }
}

class CountedQueue implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly abortsReceives: boolean;
  readonly #queue: Queue;
  readonly #onRequest: OnRequest;

  constructor(queue: Queue, onRequest: OnRequest) {
    this.name = queue.name;
    this.fifo = queue.fifo;
    this.abortsReceives = queue.abortsReceives;
    this.#queue = queue;
    this.#onRequest = onRequest;
  }

  get visibilityTimeout(): number {
    return this.#queue.visibilityTimeout;
  }

  get contentBasedDeduplication(): boolean {
    return this.#queue.contentBasedDeduplication;
  }

  /** Counted when it has come back: only then is it known what it carried. */
  async receive(options: ReceiveOptions): Promise<Message[]> {
    let messages: Message[] = [];
    try {
      messages = await this.#queue.receive(options);
      return messages;
    } finally {
      this.#onRequest(this.name, 'ReceiveMessage', sizeOf(messages));
    }
  }

  send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    this.#onRequest(this.name, 'SendMessageBatch', sizeOf(messages));
    return this.#queue.send(messages);
  }

  delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    this.#onRequest(this.name, 'DeleteMessageBatch', 0);
    return this.#queue.delete(receiptHandles);
  }

  changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    this.#onRequest(this.name, 'ChangeMessageVisibilityBatch', 0);
    return this.#queue.changeVisibility(changes);
  }

  counts(): Promise<QueueCounts> {
    this.#onRequest(this.name, 'GetQueueAttributes', 0);
    return this.#queue.counts();
  }

  purge(): Promise<void> {
    this.#onRequest(this.name, 'PurgeQueue', 0);
    return this.#queue.purge();
  }
}

function sizeOf(messages: readonly OutgoingMessage[]): number {
  let bytes = 0;
  for (const message of messages) bytes += messageSize(message);
  return bytes;
}
