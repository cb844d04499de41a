/** A queue in Redis. Each operation is one script; a receive may run several. */
import type {
  EntryResult,
  Message,
  OutgoingMessage,
  Queue,
  QueueCounts,
  QueueInspection,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../broker.ts';
import type { PendingPolls } from '../pending-polls.ts';
import { MAX_DATABASE_DELAY_SECONDS, SQS_LIMITS } from '../rules/limits.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { checkBatch, checkReceive, refusals } from '../rules/sqs-rules.ts';
import type { RedisClient } from './client.ts';
import { countsOf, inspection } from './inspect.ts';
import { receiveNow } from './receive.ts';
import { sendToFifo, sendToStandard } from './send.ts';
import { changeVisibilities, deleteMessages, purgeQueue } from './settle.ts';
import type { Subscriber } from './subscriber.ts';

/** The objects that all queues of a broker share. */
export interface Shared {
  readonly client: RedisClient;
  readonly polls: PendingPolls;
  readonly subscriber: Subscriber;
  /** Lists the names of all queues. */
  readonly list: () => Promise<string[]>;
}

export interface Settings {
  readonly visibilityTimeout: number;
  readonly contentBasedDeduplication: boolean;
}

export class RedisQueue implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly contentBasedDeduplication: boolean;
  readonly abortsReceives = true;
  readonly limits = SQS_LIMITS;
  readonly inspect: QueueInspection;
  readonly #shared: Shared;
  #visibilityTimeout: number;

  constructor(name: string, settings: Settings, shared: Shared) {
    this.name = name;
    this.fifo = isFifoName(name);
    this.contentBasedDeduplication = settings.contentBasedDeduplication;
    this.#visibilityTimeout = settings.visibilityTimeout;
    this.#shared = shared;
    this.inspect = inspection(shared.client, name, shared.list);
  }

  /** The visibility timeout as of the last receive. */
  get visibilityTimeout(): number {
    return this.#visibilityTimeout;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    checkReceive(this, options);
    const { client, polls, subscriber } = this.#shared;
    const endsAt = performance.now() + options.waitSeconds * 1000;
    for (;;) {
      if (polls.isClosed || options.signal?.aborted) return [];
      const { wakeUps } = polls;
      const wasSubscribed = subscriber.isSubscribed(this.name);
      const { messages, retryInMs, visibilityTimeout } = await receiveNow(client, this.name, options);
      this.#visibilityTimeout = visibilityTimeout;
      if (messages.length > 0) return messages;
      if (retryInMs === 0) continue;
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) return [];
      if (!wasSubscribed) {
        // Check again for messages that arrived before the subscription.
        await subscriber.subscribe(this.name);
        continue;
      }
      const pauseMs = retryInMs < 0 ? leftMs : Math.min(leftMs, retryInMs);
      await polls.wait(this.name, { wakeUps, milliseconds: pauseMs, signal: options.signal });
    }
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const refused = refusals(this, messages, MAX_DATABASE_DELAY_SECONDS);
    const good = messages.filter((_, index) => !refused[index]);
    const sendGood = this.fifo ? sendToFifo : sendToStandard;
    const sent = (await sendGood(this.#shared.client, this.name, good)).values();
    return refused.map((refusal) => refusal ?? sent.next().value!);
  }

  async delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    checkBatch(this, receiptHandles);
    return deleteMessages(this.#shared.client, this.name, receiptHandles);
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    checkBatch(this, changes);
    return changeVisibilities(this.#shared.client, this.name, changes);
  }

  counts(): Promise<QueueCounts> {
    return countsOf(this.#shared.client, this.name);
  }

  purge(): Promise<void> {
    return purgeQueue(this.#shared.client, this.name);
  }
}
