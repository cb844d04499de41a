/** One queue in Redis. Each operation is one script, or, for a receive, as many as it takes. */
import { randomUUID } from 'node:crypto';
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
import type { News } from '../news.ts';
import { MAX_DATABASE_DELAY_SECONDS, SQS_LIMITS } from '../rules/limits.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { checkBatch, checkReceive, deduplicationId, refusals, sequenceNumber } from '../rules/sqs-rules.ts';
import type { Bell } from './bell.ts';
import type { RedisClient } from './client.ts';
import { moveDeadLetters } from './dead-letters.ts';
import { countsOf, inspection } from './inspect.ts';
import { formatHead, randomText, receivedMessage, shownMessages } from './record.ts';
import { purgeQueue } from './scripts/queues.ts';
import { receiveFifo, receiveStandard } from './scripts/receiving.ts';
import { sendFifo, sendStandard } from './scripts/sending.ts';
import { changeVisibilities, deleteMessages } from './settling.ts';

/** What a queue has of its broker. */
export interface Means {
  readonly client: RedisClient;
  readonly bell: Bell;
  readonly news: News;
  /** The names of all queues. */
  readonly list: () => Promise<string[]>;
}

export interface Settings {
  readonly visibilityTimeout: number;
  readonly contentBasedDeduplication: boolean;
}

/** The answer of the scripts that receive. */
type Received = readonly [
  visibilityTimeout: string,
  deadLetterQueue: string | null,
  maxReceives: string | null,
  lookInMs: number,
  shown: string,
];

/** What a receive took, and in how many milliseconds there may be more: -1 if nothing comes by itself. */
interface Taken {
  readonly messages: Message[];
  readonly lookInMs: number;
}

export class RedisQueue implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly contentBasedDeduplication: boolean;
  readonly abortsReceives = true;
  readonly limits = SQS_LIMITS;
  readonly inspect: QueueInspection;
  readonly #means: Means;
  #visibilityTimeout: number;

  constructor(name: string, settings: Settings, means: Means) {
    this.name = name;
    this.fifo = isFifoName(name);
    this.contentBasedDeduplication = settings.contentBasedDeduplication;
    this.#visibilityTimeout = settings.visibilityTimeout;
    this.#means = means;
    this.inspect = inspection(means.client, name, means.list);
  }

  /** As the last receive found it. */
  get visibilityTimeout(): number {
    return this.#visibilityTimeout;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    checkReceive(this, options);
    const { news, bell } = this.#means;
    const endsAt = performance.now() + options.waitSeconds * 1000;
    for (;;) {
      if (news.isClosed || options.signal?.aborted) return [];
      const newsCount = news.count;
      const wasListening = bell.isListening(this.name);
      const { messages, lookInMs } = await this.#take(options);
      if (messages.length > 0) return messages;
      if (lookInMs === 0) continue;
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) return [];
      if (!wasListening) {
        // What came before this is found by another look.
        await bell.listen(this.name);
        continue;
      }
      const pauseMs = lookInMs < 0 ? leftMs : Math.min(leftMs, lookInMs);
      await news.next(this.name, newsCount, pauseMs, options.signal);
    }
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const refused = refusals(this, messages, MAX_DATABASE_DELAY_SECONDS);
    const good = messages.filter((_, index) => !refused[index]);
    const sent = (this.fifo ? await this.#sendOnce(good) : await this.#send(good)).values();
    return refused.map((refusal) => refusal ?? sent.next().value!);
  }

  async delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    checkBatch(this, receiptHandles);
    return deleteMessages(this.#means.client, this.name, receiptHandles);
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    checkBatch(this, changes);
    return changeVisibilities(this.#means.client, this.name, changes);
  }

  counts(): Promise<QueueCounts> {
    return countsOf(this.#means.client, this.name);
  }

  async purge(): Promise<void> {
    await this.#means.client.run(purgeQueue, this.name);
  }

  async #take({ max, visibilityTimeout }: ReceiveOptions): Promise<Taken> {
    const { client } = this.#means;
    const separator = randomText();
    const script = this.fifo ? receiveFifo : receiveStandard;
    const values = [max, visibilityTimeout ?? '', separator];
    const received = await client.run<Received>(script, this.name, values);
    const [ownVisibilityTimeout, deadLetterQueue, maxReceives, lookInMs, shown] = received;
    this.#visibilityTimeout = Number(ownVisibilityTimeout);
    const all = shownMessages(shown, separator).map((one) => ({
      message: receivedMessage(one, separator, this.fifo),
      record: one.record,
    }));
    const isExhausted = ({ message }: (typeof all)[number]) => message.receiveCount > Number(maxReceives);
    const letters = deadLetterQueue === null ? [] : all.filter(isExhausted);
    // If the dead-letter queue was removed meanwhile, messages are received as often as they come.
    const areMoved =
      letters.length > 0 && (await moveDeadLetters(client, this.name, deadLetterQueue!, letters));
    const kept = areMoved ? all.filter((one) => !isExhausted(one)) : all;
    return { messages: kept.map(({ message }) => message), lookInMs };
  }

  async #send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const ids = messages.map(() => randomUUID());
    const values = messages.flatMap((message, index) => [
      message.delaySeconds ?? '',
      formatHead(ids[index]!, message, message.deduplicationId),
      message.body,
    ]);
    await this.#means.client.run(sendStandard, this.name, values);
    return ids.map((messageId) => ({ ok: true, messageId }));
  }

  /** For FIFO queues: what has a deduplication id that is remembered is accepted, and dropped. */
  async #sendOnce(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const values = messages.flatMap((message) => {
      const id = randomUUID();
      const duplicateOf = deduplicationId(message);
      return [duplicateOf, message.groupId!, id, formatHead(id, message, duplicateOf), message.body];
    });
    const sent = await this.#means.client.run<string[]>(sendFifo, this.name, values);
    return sent.map((text) => {
      const [messageId, number] = text.split(' ') as [string, string];
      return { ok: true, messageId, sequenceNumber: sequenceNumber(Number(number)) };
    });
  }
}
