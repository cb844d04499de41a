/**
 * A queue in memory. Each call takes effect immediately, before its promise resolves; messages that become visible go
 * directly to a pending receive. It has timers only while a receive is pending.
 */
import type { Machine } from '../../host/host.ts';
import type {
  CreateOptions,
  DeadLetterTarget,
  EntryResult,
  Message,
  OutgoingMessage,
  PeekedMessage,
  Queue,
  QueueCounts,
  QueueInspection,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { SQS_LIMITS } from '../rules/limits.ts';
import { peekedMessage } from '../rules/messages.ts';
import { isFifoName } from '../rules/queue-name.ts';
import {
  checkBatch,
  checkReceive,
  DEDUPLICATION_MS,
  DEFAULT_SETTINGS,
  deduplicationId,
  refusals,
  sequenceNumber,
  standing,
} from '../rules/sqs-rules.ts';
import { Messages } from './messages.ts';
import {
  receivedMessage,
  type SentMessage,
  type StoredMessage,
  sentMessage,
  storedMessage,
} from './stored-message.ts';
import { WaitingReceives } from './waiting-receives.ts';

/** What a queue needs from its broker. */
export interface QueueOwner {
  readonly description: string;
  readonly maxDelaySeconds: number;
  readonly machine: Pick<Machine, 'wallClock' | 'setTimeout' | 'clearTimeout'>;
  /** Numbers the messages in all queues, in the order in which they are sent. */
  nextNumber(): number;
  /** The queue with this name, unless it does not exist or was removed. */
  find(name: string): MemoryQueue | undefined;
  /** The names of the queues that use this dead-letter queue. */
  sourcesOf(name: string): Promise<string[]>;
}

export class MemoryQueue implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly abortsReceives = true;
  readonly limits = SQS_LIMITS;
  readonly inspect: Required<Omit<QueueInspection, 'startMove'>> = {
    peek: async (max) => this.#peek(max),
    oldest: async () => this.#oldest(),
    deadLetterQueue: async () => this.deadLetterTarget,
    deadLetterSources: async () => {
      this.#checkExists();
      return this.#broker.sourcesOf(this.name);
    },
  };
  readonly #broker: QueueOwner;
  #settings: CreateOptions & typeof DEFAULT_SETTINGS = DEFAULT_SETTINGS;
  #exists = true;
  #messages: Messages;
  #receives = 0;
  readonly #deduplication = new Deduplication();
  readonly #waiting: WaitingReceives;

  constructor(name: string, broker: QueueOwner) {
    this.name = name;
    this.fifo = isFifoName(name);
    this.#broker = broker;
    this.#messages = new Messages(this.fifo);
    this.#waiting = new WaitingReceives(
      (options) => this.#take(options),
      () => this.#messages.nextVisibleAt,
      broker.machine,
    );
  }

  get visibilityTimeout(): number {
    return this.#settings.visibilityTimeout;
  }

  get contentBasedDeduplication(): boolean {
    return this.#settings.contentBasedDeduplication;
  }

  /** False after the queue is removed, until it is created again. */
  get exists(): boolean {
    return this.#exists;
  }

  /** The current counts, synchronously. */
  get currentCounts(): QueueCounts {
    this.#checkExists();
    this.#showDue();
    return this.#messages.counts;
  }

  /** The dead-letter queue. */
  get deadLetterTarget(): DeadLetterTarget | undefined {
    this.#checkExists();
    return this.#settings.deadLetterQueue;
  }

  async counts(): Promise<QueueCounts> {
    return this.currentCounts;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    checkReceive(this, options);
    this.#checkExists();
    if (options.signal?.aborted) return [];
    const messages = this.#take(options);
    return messages.length > 0 || options.waitSeconds === 0 ? messages : this.#waiting.add(options);
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    this.#checkExists();
    const refused = refusals(this, messages, this.#broker.maxDelaySeconds);
    const now = this.#showDue();
    const results = messages.map((message, index) => refused[index] ?? this.#accept(message, now));
    this.#waiting.serve();
    return results;
  }

  async delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    checkBatch(this, receiptHandles);
    this.#checkExists();
    this.#showDue();
    const results = receiptHandles.map((handle) => this.#messages.delete(handle));
    if (this.fifo) this.#waiting.serve();
    return results;
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    checkBatch(this, changes);
    this.#checkExists();
    const now = this.#showDue();
    const results = changes.map((change) => this.#messages.changeVisibility(change, now));
    this.#waiting.serve();
    return results;
  }

  async purge(): Promise<void> {
    this.#checkExists();
    this.#messages = new Messages(this.fifo);
  }

  /** Creates the queue again if it was removed, and updates the given settings. */
  make(options: CreateOptions): void {
    if (!this.#exists) this.#settings = DEFAULT_SETTINGS;
    this.#exists = true;
    this.#settings = { ...this.#settings, ...options };
  }

  remove(): void {
    this.#exists = false;
    this.#messages = new Messages(this.fifo);
    this.#waiting.fail(this.#notFound());
  }

  /** Resolves pending receives with no messages. */
  close(): void {
    this.#waiting.end();
  }

  /** Adds a message that was received too many times from another queue. */
  acceptDeadLetter(message: SentMessage): void {
    const now = this.#showDue();
    this.#messages.add(storedMessage(this.#broker.nextNumber(), message, now, now));
    this.#waiting.serve();
  }

  #accept(message: OutgoingMessage, now: number): SendResult {
    if (!this.fifo) return { ok: true, messageId: this.#store(message, message.deduplicationId, now).id };
    const duplicateOf = deduplicationId(message);
    return this.#deduplication.once(duplicateOf, now, () => {
      const { id, number } = this.#store(message, duplicateOf, now);
      return { ok: true, messageId: id, sequenceNumber: sequenceNumber(number) };
    });
  }

  #store(message: OutgoingMessage, duplicateOf: string | undefined, now: number): StoredMessage {
    const { delaySeconds = this.#settings.delaySeconds } = message;
    const number = this.#broker.nextNumber();
    const sent = sentMessage(number, message, duplicateOf, now);
    const stored = storedMessage(number, sent, now + delaySeconds * 1000, now);
    this.#messages.add(stored);
    return stored;
  }

  #take({ max, visibilityTimeout = this.#settings.visibilityTimeout }: ReceiveOptions): Message[] {
    const now = this.#showDue();
    const { retentionSeconds, deadLetterQueue } = this.#settings;
    // If the dead-letter queue was removed, messages are received without a limit.
    const deadLetters = deadLetterQueue && this.#broker.find(deadLetterQueue.name);
    const bounds = { retentionSeconds, maxReceives: deadLetters && deadLetterQueue.maxReceives };
    const taken: StoredMessage[] = [];
    while (taken.length < max) {
      const candidates = this.#messages.take(max - taken.length);
      if (candidates.length === 0) break;
      for (const message of candidates) {
        const found = standing(message, bounds, now);
        if (found === 'receivable') taken.push(message);
        else this.#messages.remove(message);
        if (found === 'exhausted') deadLetters?.acceptDeadLetter(message);
      }
    }
    this.#receives += 1;
    const token = String(this.#receives);
    return taken.map((message) => {
      this.#messages.putInFlight(message, token, now + visibilityTimeout * 1000);
      return receivedMessage(message, token, this.fifo);
    });
  }

  #peek(max: number): PeekedMessage[] {
    this.#checkExists();
    const now = this.#showDue();
    const { retentionSeconds } = this.#settings;
    return (
      [...this.#messages.all()]
        .filter(
          (message) =>
            message.state === 'visible' && standing(message, { retentionSeconds }, now) !== 'expired',
        )
        // Delayed and returned messages come after those that were visible before.
        .sort((one, other) => (this.fifo ? 0 : one.visibleAt - other.visibleAt))
        .slice(0, max)
        .map((message) => peekedMessage(receivedMessage(message, '', this.fifo)))
    );
  }

  #oldest(): number | undefined {
    this.#checkExists();
    const times = [...this.#messages.all()].map(({ sentAt }) => sentAt);
    return times.length === 0 ? undefined : times.reduce((one, other) => Math.min(one, other));
  }

  /** Makes due messages visible. Returns the current time in milliseconds since the epoch. */
  #showDue(): number {
    const now = this.#broker.machine.wallClock();
    this.#messages.showDue(now);
    return now;
  }

  #checkExists(): void {
    if (!this.#exists) throw this.#notFound();
  }

  #notFound(): QueueNotFoundError {
    return new QueueNotFoundError(this.name, this.#broker.description);
  }
}

/** The deduplication ids of a FIFO queue, each remembered for five minutes with the result of its first message. */
class Deduplication {
  /** In the order of expiry. */
  readonly #remembered = new Map<string, { readonly result: SendResult; readonly until: number }>();
  #cleanAt = 0;

  /** Returns the result of the first message with this id, or else calls `send`. `now` is in milliseconds. */
  once(id: string, now: number, send: () => SendResult): SendResult {
    this.#forget(now);
    const known = this.#remembered.get(id);
    if (known && known.until > now) return known.result;
    const result = send();
    this.#remembered.delete(id);
    this.#remembered.set(id, { result, until: now + DEDUPLICATION_MS });
    return result;
  }

  #forget(now: number): void {
    if (now < this.#cleanAt) return;
    this.#cleanAt = now + DEDUPLICATION_MS;
    for (const [id, { until }] of this.#remembered) {
      if (until > now) break;
      this.#remembered.delete(id);
    }
  }
}
