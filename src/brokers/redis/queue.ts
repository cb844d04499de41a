/** One queue in Redis. Each operation is one script, or, for a receive, as many as it takes. */
import { randomUUID } from 'node:crypto';
import type {
  DeadLetterTarget,
  EntryResult,
  Message,
  OutgoingMessage,
  PeekedMessage,
  Queue,
  QueueCounts,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import type { News } from '../news.ts';
import { MAX_DATABASE_DELAY_SECONDS } from '../rules/limits.ts';
import { peekedMessage } from '../rules/message-copy.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { checkBatch, checkReceive, deduplicationId, refusals, sequenceNumber } from '../rules/sqs-rules.ts';
import type { Bell } from './bell.ts';
import type { RedisClient } from './client.ts';
import { moveDeadLetters } from './dead-letters.ts';
import { formatHead, receivedMessage, shownMessages } from './record.ts';
import { countMessages, peekFifo, peekStandard, readDeadLetterQueue } from './scripts/looking.ts';
import { findOldest } from './scripts/oldest.ts';
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
  readonly #means: Means;
  #visibilityTimeout: number;

  constructor(name: string, settings: Settings, means: Means) {
    this.name = name;
    this.fifo = isFifoName(name);
    this.contentBasedDeduplication = settings.contentBasedDeduplication;
    this.#visibilityTimeout = settings.visibilityTimeout;
    this.#means = means;
  }

  /** As the last receive found it. */
  get visibilityTimeout(): number {
    return this.#visibilityTimeout;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    checkReceive(this.name, options);
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
    checkBatch(this.name, receiptHandles);
    return this.#found(await deleteMessages(this.#means.client, this.name, receiptHandles));
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    checkBatch(this.name, changes);
    return this.#found(await changeVisibilities(this.#means.client, this.name, changes));
  }

  async counts(): Promise<QueueCounts> {
    const counts = await this.#means.client.run<[number, number, number] | null>(countMessages, this.name);
    const [visible, inFlight, delayed] = this.#found(counts);
    return { visible, inFlight, delayed };
  }

  async peek(max: number): Promise<PeekedMessage[]> {
    const script = this.fifo ? peekFifo : peekStandard;
    const separator = randomText();
    const answer = await this.#means.client.run<string | null>(script, this.name, [max, separator]);
    const shown = shownMessages(this.#found(answer), separator);
    return shown.map((one) => peekedMessage(receivedMessage(one, '', this.fifo)));
  }

  async oldest(): Promise<number | undefined> {
    const sentAt = this.#found(await this.#means.client.run<number | null>(findOldest, this.name));
    return sentAt === 0 ? undefined : sentAt;
  }

  async deadLetterQueue(): Promise<DeadLetterTarget | undefined> {
    return this.#found(await readTarget(this.#means.client, this.name)).target;
  }

  async deadLetterSources(): Promise<string[]> {
    const { client, list } = this.#means;
    const names = await list();
    const targets = await Promise.all(names.map((name) => readTarget(client, name)));
    return names.filter((_, index) => targets[index]?.target?.name === this.name);
  }

  async purge(): Promise<void> {
    this.#found(await this.#means.client.run<1 | null>(purgeQueue, this.name));
  }

  async #take({ max, visibilityTimeout }: ReceiveOptions): Promise<Taken> {
    const { client } = this.#means;
    const separator = randomText();
    const script = this.fifo ? receiveFifo : receiveStandard;
    const values = [max, visibilityTimeout ?? '', separator];
    const received = this.#found(await client.run<Received | null>(script, this.name, values));
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
    this.#found(await this.#means.client.run<1 | null>(sendStandard, this.name, values));
    return ids.map((messageId) => ({ ok: true, messageId }));
  }

  /** For FIFO queues: what has a deduplication id that is remembered is accepted, and dropped. */
  async #sendOnce(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const values = messages.flatMap((message) => {
      const id = randomUUID();
      const duplicateOf = deduplicationId(message);
      return [duplicateOf, message.groupId!, id, formatHead(id, message, duplicateOf), message.body];
    });
    const sent = this.#found(await this.#means.client.run<string[] | null>(sendFifo, this.name, values));
    return sent.map((text) => {
      const [messageId, number] = text.split(' ') as [string, string];
      return { ok: true, messageId, sequenceNumber: sequenceNumber(Number(number)) };
    });
  }

  /** What a script answered, unless there is no queue any more. */
  #found<Answer>(answer: Answer | null | undefined): Answer {
    if (answer === null || answer === undefined) {
      throw new QueueNotFoundError(this.name, this.#means.client.description);
    }
    return answer;
  }
}

/** One that nothing else has: 122 random bits, in letters and digits. */
function randomText(): string {
  return randomUUID().replaceAll('-', '');
}

/** Where the messages of a queue go that are received too often; undefined if there is no such queue. */
async function readTarget(
  client: RedisClient,
  queue: string,
): Promise<{ readonly target: DeadLetterTarget | undefined } | undefined> {
  type Answer = [string, name: string | null, maxReceives: string | null];
  const answer = await client.run<Answer | null>(readDeadLetterQueue, queue);
  if (!answer) return undefined;
  const [, name, maxReceives] = answer;
  return { target: name === null ? undefined : { name, maxReceives: Number(maxReceives) } };
}
