/**
 * One queue in memory. Each call takes effect when it is made, before its promise resolves; what becomes visible goes
 * to a receive that waits at once. Time is `Date.now()` and the global `setTimeout`, so a fake clock rules it, and
 * timers run only while a receive waits.
 */
import type {
  CreateOptions,
  EntryResult,
  Message,
  OutgoingMessage,
  Queue,
  QueueCounts,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import {
  badReceiptHandle,
  notInFlight,
  oldReceiptHandle,
  parseReceiptHandle,
  receiptHandle,
} from '../receipt-handle.ts';
import {
  changeRefusal,
  checkBatch,
  checkReceive,
  DEFAULT_SETTINGS,
  deduplicationId,
  isFifoName,
  refusals,
  sequenceNumber,
} from '../sqs-rules.ts';
import type { MemoryBroker } from './broker.ts';
import { Deduplication } from './deduplication.ts';
import { Heap } from './heap.ts';
import { FifoOrder, type Order, StandardOrder, type StoredMessage } from './order.ts';
import { WaitingReceives } from './waiting-receives.ts';

const NO_ATTRIBUTES = Object.freeze({});

export class MemoryQueue implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly abortsReceives = true;
  readonly #broker: MemoryBroker;
  #settings: CreateOptions & typeof DEFAULT_SETTINGS = DEFAULT_SETTINGS;
  #exists = true;
  /** All messages, by number. */
  #messages = new Map<number, StoredMessage>();
  /** Those that are in flight or delayed. */
  #invisible = new Heap<StoredMessage>();
  #inFlight = 0;
  #order: Order;
  #receives = 0;
  readonly #deduplication = new Deduplication();
  readonly #waiting: WaitingReceives;

  constructor(name: string, broker: MemoryBroker) {
    this.name = name;
    this.fifo = isFifoName(name);
    this.#broker = broker;
    this.#order = this.#emptyOrder();
    this.#waiting = new WaitingReceives(
      (options) => this.#take(options),
      () => this.#invisible.first?.visibleAt,
    );
  }

  get visibilityTimeout(): number {
    return this.#settings.visibilityTimeout;
  }

  get contentBasedDeduplication(): boolean {
    return this.#settings.contentBasedDeduplication;
  }

  /** False between its removal and its being made again. */
  get exists(): boolean {
    return this.#exists;
  }

  /** The counts of this moment, without waiting for a promise. */
  get currentCounts(): QueueCounts {
    this.#checkExists();
    this.#showDue();
    return {
      visible: this.#messages.size - this.#invisible.size,
      inFlight: this.#inFlight,
      delayed: this.#invisible.size - this.#inFlight,
    };
  }

  async counts(): Promise<QueueCounts> {
    return this.currentCounts;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    checkReceive(this.name, options);
    this.#checkExists();
    if (options.signal?.aborted) return [];
    const messages = this.#take(options);
    return messages.length > 0 || options.waitSeconds === 0 ? messages : this.#waiting.add(options);
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    this.#checkExists();
    const refused = refusals(this, messages, this.#broker.maxDelaySeconds);
    const results = messages.map((message, index) => refused[index] ?? this.#accept(message));
    this.#waiting.serve();
    return results;
  }

  async delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    checkBatch(this.name, receiptHandles);
    this.#checkExists();
    this.#showDue();
    const results = receiptHandles.map((handle) => this.#delete(handle));
    if (this.fifo) this.#waiting.serve();
    return results;
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    checkBatch(this.name, changes);
    this.#checkExists();
    this.#showDue();
    const results = changes.map((change) => changeRefusal(change) ?? this.#changeVisibility(change));
    this.#waiting.serve();
    return results;
  }

  async purge(): Promise<void> {
    this.#checkExists();
    this.#clear();
  }

  /** Makes the queue if it was removed, and changes the settings that are given. */
  make(options: CreateOptions): void {
    if (!this.#exists) this.#settings = DEFAULT_SETTINGS;
    this.#exists = true;
    this.#settings = { ...this.#settings, ...options };
  }

  remove(): void {
    this.#exists = false;
    this.#clear();
    this.#waiting.fail(this.#notFound());
  }

  /** Ends the receives that wait, with nothing. */
  close(): void {
    this.#waiting.end();
  }

  /** Takes in a message from a queue that it was received from too often. */
  acceptDeadLetter({ id, body, attributes, sentAt, groupId, deduplicationId }: StoredMessage): void {
    this.#store({ id, body, attributes, sentAt, groupId, deduplicationId }, 0);
    this.#waiting.serve();
  }

  #accept(message: OutgoingMessage): SendResult {
    const { body, attributes = NO_ATTRIBUTES, groupId, delaySeconds = this.#settings.delaySeconds } = message;
    const now = Date.now();
    const content = { body, attributes, sentAt: now, groupId };
    if (!this.fifo) {
      const { id } = this.#store({ ...content, deduplicationId: message.deduplicationId }, delaySeconds);
      return { ok: true, messageId: id };
    }
    const duplicateOf = deduplicationId(message);
    return this.#deduplication.once(duplicateOf, now, () => {
      const { id, number } = this.#store({ ...content, deduplicationId: duplicateOf }, delaySeconds);
      return { ok: true, messageId: id, sequenceNumber: sequenceNumber(number) };
    });
  }

  #store(
    content: Pick<StoredMessage, 'body' | 'attributes' | 'sentAt' | 'groupId' | 'deduplicationId'> & {
      id?: string;
    },
    delaySeconds: number,
  ): StoredMessage {
    const number = this.#broker.nextNumber();
    const message: StoredMessage = {
      number,
      id: content.id ?? messageId(number),
      body: content.body,
      attributes: content.attributes,
      sentAt: content.sentAt,
      groupId: content.groupId,
      deduplicationId: content.deduplicationId,
      state: delaySeconds > 0 ? 'delayed' : 'visible',
      visibleAt: delaySeconds > 0 ? Date.now() + delaySeconds * 1000 : 0,
      receiveCount: 0,
      receiveNumber: 0,
      heapIndex: -1,
    };
    this.#messages.set(number, message);
    // What became visible before this message was sent comes before it.
    this.#showDue();
    if (message.state === 'delayed') this.#invisible.add(message);
    this.#order.add(message);
    return message;
  }

  #take({ max, visibilityTimeout = this.#settings.visibilityTimeout }: ReceiveOptions): Message[] {
    this.#showDue();
    const taken: StoredMessage[] = [];
    while (taken.length < max) {
      const candidates = this.#order.take(max - taken.length);
      if (candidates.length === 0) break;
      for (const message of candidates) if (!this.#isOver(message)) taken.push(message);
    }
    this.#receives += 1;
    const visibleAt = Date.now() + visibilityTimeout * 1000;
    return taken.map((message) => this.#handOut(message, visibleAt));
  }

  #handOut(message: StoredMessage, visibleAt: number): Message {
    message.state = 'in flight';
    message.receiveCount += 1;
    message.receiveNumber = this.#receives;
    message.visibleAt = visibleAt;
    this.#invisible.add(message);
    this.#inFlight += 1;
    const received = {
      id: message.id,
      body: message.body,
      receiptHandle: receiptHandle(message.number, message.receiveNumber),
      receiveCount: message.receiveCount,
      attributes: message.attributes,
      sentAt: message.sentAt,
    };
    if (message.groupId === undefined && message.deduplicationId === undefined) return received;
    return {
      ...received,
      ...(message.groupId !== undefined && { groupId: message.groupId }),
      ...(message.deduplicationId !== undefined && { deduplicationId: message.deduplicationId }),
      ...(this.fifo && { sequenceNumber: sequenceNumber(message.number) }),
    };
  }

  /** Removes a message that was just taken if it is kept no longer, or was received too often. */
  #isOver(message: StoredMessage): boolean {
    const { retentionSeconds = Number.POSITIVE_INFINITY, deadLetterQueue } = this.#settings;
    const isExpired = message.sentAt + retentionSeconds * 1000 <= Date.now();
    const isExhausted = deadLetterQueue && message.receiveCount >= deadLetterQueue.maxReceives;
    const deadLetters = isExhausted && !isExpired ? this.#broker.find(deadLetterQueue.name) : undefined;
    if (!isExpired && !deadLetters) return false;
    message.state = 'gone';
    this.#messages.delete(message.number);
    this.#order.finish(message);
    deadLetters?.acceptDeadLetter(message);
    return true;
  }

  #delete(handle: string): EntryResult {
    const receipt = parseReceiptHandle(handle);
    if (!receipt) return badReceiptHandle;
    const message = this.#messages.get(receipt.number);
    if (!message) return { ok: true };
    if (receipt.token !== String(message.receiveNumber)) return oldReceiptHandle;
    if (message.state === 'in flight') {
      this.#invisible.remove(message);
      this.#inFlight -= 1;
      this.#order.finish(message);
    } else if (this.fifo) {
      return oldReceiptHandle;
    }
    message.state = 'gone';
    this.#messages.delete(message.number);
    return { ok: true };
  }

  #changeVisibility({ receiptHandle: handle, seconds }: VisibilityChange): EntryResult {
    const receipt = parseReceiptHandle(handle);
    if (!receipt) return badReceiptHandle;
    const message = this.#messages.get(receipt.number);
    if (!message) return notInFlight;
    if (receipt.token !== String(message.receiveNumber)) return oldReceiptHandle;
    if (message.state !== 'in flight') return notInFlight;
    this.#invisible.remove(message);
    if (seconds > 0) {
      message.visibleAt = Date.now() + seconds * 1000;
      this.#invisible.add(message);
    } else {
      this.#show(message);
    }
    return { ok: true };
  }

  /** Shows what has become visible meanwhile. */
  #showDue(): void {
    const now = Date.now();
    for (let first = this.#invisible.first; first && first.visibleAt <= now; first = this.#invisible.first) {
      this.#invisible.remove(first);
      this.#show(first);
    }
  }

  #show(message: StoredMessage): void {
    const wasInFlight = message.state === 'in flight';
    message.state = 'visible';
    if (wasInFlight) {
      this.#inFlight -= 1;
      this.#order.giveBack(message);
    } else {
      this.#order.appear(message);
    }
  }

  #clear(): void {
    this.#messages = new Map();
    this.#invisible = new Heap();
    this.#inFlight = 0;
    this.#order = this.#emptyOrder();
  }

  #emptyOrder(): Order {
    return this.fifo ? new FifoOrder() : new StandardOrder();
  }

  #checkExists(): void {
    if (!this.#exists) throw this.#notFound();
  }

  #notFound(): QueueNotFoundError {
    return new QueueNotFoundError(this.name, this.#broker.description);
  }
}

/** In the form of SQS's, and the same in each run. */
function messageId(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}
