/**
 * A model of SQS that keeps what AWS promises, and no more: messages come in any order (FIFO: in order within their
 * group), in answers of any size, sometimes twice; a delete with an old receipt handle succeeds and deletes nothing.
 * Source: the Amazon SQS developer guide and API reference.
 */

import type { Random } from '../harness/random.ts';
import type {
  Broker,
  EntryFailure,
  EntryResult,
  Message,
  OutgoingMessage,
  QueueCounts,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../src/brokers/broker.ts';
import { MAX_DELAY_SECONDS, SQS_LIMITS } from '../src/brokers/rules/limits.ts';
import type { MisbehavingQueue } from './network.ts';
import type { VirtualEvent, VirtualTime } from './virtual-time.ts';

interface StoredMessage {
  readonly id: string;
  readonly number: number;
  readonly sent: OutgoingMessage;
  readonly sentAt: number;
  visibleAt: number;
  receiveCount: number;
  /** The receipt handle of the last receive. */
  handle: string | undefined;
  isDeleted: boolean;
}

interface WaitingReceive {
  readonly options: ReceiveOptions;
  readonly resolve: (messages: Message[]) => void;
}

const DEDUPLICATION_MS = 5 * 60 * 1000;
const OK: EntryResult = { ok: true };

interface DeadLetterPolicy {
  readonly queue: SqsModel;
  readonly maxReceives: number;
  /** Called when a message moves there. */
  readonly moved: (body: string, messageId: string) => void;
}

export interface ModelSettings {
  readonly visibilityTimeout: number;
  /** Called before a message is delivered once more than it becomes visible. */
  readonly duplicated: (id: string, body: string) => void;
  readonly deadLetterQueue?: DeadLetterPolicy | undefined;
}

export class SqsModel implements MisbehavingQueue {
  readonly name: string;
  readonly fifo: boolean;
  readonly visibilityTimeout: number;
  readonly contentBasedDeduplication = false;
  readonly abortsReceives = false;
  readonly limits = SQS_LIMITS;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #duplicated: ModelSettings['duplicated'];
  readonly #deadLetterQueue: ModelSettings['deadLetterQueue'];
  readonly #messages = new Set<StoredMessage>();
  readonly #byHandle = new Map<string, StoredMessage>();
  readonly #deduplication = new Map<string, { readonly at: number; readonly result: SendResult }>();
  readonly #waiting = new Set<WaitingReceive>();
  #alarm: VirtualEvent | undefined;
  #numbers = 0;
  #answersTwice: number | undefined;
  #deliversAgain: number | undefined;

  constructor(name: string, time: VirtualTime, random: Random, settings: ModelSettings) {
    this.name = name;
    this.fifo = name.endsWith('.fifo');
    this.visibilityTimeout = settings.visibilityTimeout;
    this.#duplicated = settings.duplicated;
    this.#deadLetterQueue = settings.deadLetterQueue;
    this.#time = time;
    this.#random = random;
  }

  answerTwice(entry: number): void {
    this.#answersTwice = entry;
  }

  deliverAgain(entry: number): void {
    this.#deliversAgain = entry;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    const messages = this.#take(options);
    if (messages.length > 0 || options.waitSeconds === 0) return messages;
    return new Promise((resolve) => {
      const waiting = { options, resolve };
      this.#waiting.add(waiting);
      options.signal?.addEventListener('abort', () => this.#waiting.delete(waiting), { once: true });
      this.#time.at(this.#time.now + options.waitSeconds * 1000, () => {
        if (this.#waiting.delete(waiting)) resolve([]);
      });
      this.#setAlarm();
    });
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const results = messages.map((message) => this.#accept(message));
    this.#time.at(this.#time.now, () => this.#serve());
    return results;
  }

  async delete(handles: readonly string[]): Promise<EntryResult[]> {
    const results = handles.map((handle): EntryResult => {
      const message = this.#byHandle.get(handle);
      if (!message || message.isDeleted) return OK;
      if (this.fifo && !this.#isInFlight(message)) return refused('InvalidParameterValue', 'it has expired');
      if (message.handle !== handle) return OK;
      message.isDeleted = true;
      this.#messages.delete(message);
      return OK;
    });
    this.#serve();
    return results;
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    const results = changes.map(({ receiptHandle, seconds }): EntryResult => {
      const message = this.#byHandle.get(receiptHandle);
      if (!message || message.isDeleted || !this.#isInFlight(message)) {
        return refused('MessageNotInflight', 'it is not in flight');
      }
      if (message.handle !== receiptHandle) return refused('InvalidParameterValue', 'it has expired');
      message.visibleAt = this.#time.now + seconds * 1000;
      return OK;
    });
    this.#serve();
    return results;
  }

  async counts(): Promise<QueueCounts> {
    const inFlight = [...this.#messages].filter((message) => this.#isInFlight(message)).length;
    const visible = [...this.#messages].filter((message) => message.visibleAt <= this.#time.now).length;
    return { visible, inFlight, delayed: this.#messages.size - inFlight - visible };
  }

  async purge(): Promise<void> {
    this.#messages.clear();
  }

  #accept(message: OutgoingMessage): SendResult {
    const { deduplicationId } = message;
    const known = deduplicationId === undefined ? undefined : this.#deduplication.get(deduplicationId);
    if (this.fifo && known && this.#time.now - known.at < DEDUPLICATION_MS) return known.result;
    const result = { ok: true, messageId: this.#store(message, this.#time.now).id } as const;
    if (deduplicationId !== undefined)
      this.#deduplication.set(deduplicationId, { at: this.#time.now, result });
    return result;
  }

  #store(sent: OutgoingMessage, sentAt: number): StoredMessage {
    this.#numbers += 1;
    const id = `${this.name}-${this.#numbers}`;
    const visibleAt = this.#time.now + (sent.delaySeconds ?? 0) * 1000;
    const stored = { id, number: this.#numbers, sent, sentAt, visibleAt, receiveCount: 0 };
    const message: StoredMessage = { ...stored, handle: undefined, isDeleted: false };
    this.#messages.add(message);
    return message;
  }

  #isInFlight({ receiveCount, visibleAt }: StoredMessage): boolean {
    return receiveCount > 0 && visibleAt > this.#time.now;
  }

  #take({ max, visibilityTimeout = this.visibilityTimeout }: ReceiveOptions): Message[] {
    const candidates = this.fifo ? this.#nextInGroups() : this.#visible();
    const taken: Message[] = [];
    // Fewer than there are, as often on SQS.
    const most = this.#random() < 0.7 ? max : 1 + Math.floor(this.#random() * max);
    for (const message of candidates) {
      if (taken.length === most) break;
      if (!this.#bury(message)) taken.push(this.#deliver(message, visibilityTimeout));
    }
    if (taken.length > 0 && this.#answersTwice !== undefined && !this.fifo) {
      const twice = taken[this.#answersTwice % taken.length]!;
      if (taken.length < max) taken.push(this.#deliverAgain(twice.receiptHandle, visibilityTimeout));
      this.#answersTwice = undefined;
    }
    if (this.#deliversAgain !== undefined && !this.fifo && taken.length < max) {
      const handles = [...this.#byHandle.keys()];
      const again = handles[(this.#deliversAgain * 7) % (handles.length || 1)];
      if (again) taken.push(this.#deliverAgain(again, visibilityTimeout));
      this.#deliversAgain = undefined;
    }
    return taken;
  }

  /** Standard: all visible messages, in any order. */
  #visible(): StoredMessage[] {
    return this.#shuffled([...this.#messages].filter(({ visibleAt }) => visibleAt <= this.#time.now));
  }

  #shuffled<Item>(items: Item[]): Item[] {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = Math.floor(this.#random() * (last + 1));
      [items[last], items[other]] = [items[other]!, items[last]!];
    }
    return items;
  }

  /** FIFO: the visible messages of all groups that have none in flight, in order. */
  #nextInGroups(): StoredMessage[] {
    const blocked = new Set<string | undefined>();
    for (const message of this.#messages) if (this.#isInFlight(message)) blocked.add(message.sent.groupId);
    const next: StoredMessage[] = [];
    for (const message of this.#messages) {
      const { groupId } = message.sent;
      if (blocked.has(groupId)) continue;
      if (message.visibleAt <= this.#time.now) next.push(message);
      else blocked.add(groupId);
    }
    return next;
  }

  /** Moves a message to the dead-letter queue if it was received too often. */
  #bury(message: StoredMessage): boolean {
    const policy = this.#deadLetterQueue;
    if (!policy || message.receiveCount < policy.maxReceives) return false;
    message.isDeleted = true;
    this.#messages.delete(message);
    policy.moved(message.sent.body, message.id);
    policy.queue.buried(message);
    return true;
  }

  /** Takes a message that was received too often from another queue. */
  buried({ sent, sentAt }: StoredMessage): void {
    this.#store(sent, sentAt);
    this.#serve();
  }

  #deliverAgain(handle: string, visibilityTimeout: number): Message {
    const message = this.#byHandle.get(handle)!;
    const { sent, id } = message;
    this.#duplicated(id, sent.body);
    return this.#deliver(message, visibilityTimeout);
  }

  #deliver(message: StoredMessage, visibilityTimeout: number): Message {
    message.receiveCount += 1;
    message.handle = `${message.id}/${message.receiveCount}`;
    message.visibleAt = this.#time.now + visibilityTimeout * 1000;
    this.#byHandle.set(message.handle, message);
    const { body, attributes = {}, groupId, deduplicationId } = message.sent;
    return {
      ...{ id: message.id, body, attributes, receiptHandle: message.handle },
      ...{ receiveCount: message.receiveCount, sentAt: message.sentAt },
      ...(groupId !== undefined && { groupId }),
      ...(deduplicationId !== undefined && { deduplicationId }),
    };
  }

  /** Gives visible messages to waiting receives. */
  #serve(): void {
    for (const waiting of this.#shuffled([...this.#waiting])) {
      const messages = this.#take(waiting.options);
      if (messages.length === 0) break;
      this.#waiting.delete(waiting);
      waiting.resolve(messages);
    }
    this.#setAlarm();
  }

  /** Serves again when the next message becomes visible. */
  #setAlarm(): void {
    if (this.#alarm) this.#time.cancel(this.#alarm);
    this.#alarm = undefined;
    if (this.#waiting.size === 0) return;
    let next = Number.POSITIVE_INFINITY;
    for (const { visibleAt } of this.#messages) {
      if (visibleAt > this.#time.now) next = Math.min(next, visibleAt);
    }
    if (next !== Number.POSITIVE_INFINITY) this.#alarm = this.#time.at(next, () => this.#serve());
  }
}

/** The queues of the model, as a broker. */
export class SqsModelBroker implements Pick<Broker, 'open' | 'description' | 'maxDelaySeconds'> {
  readonly description = 'a model of SQS';
  readonly maxDelaySeconds = MAX_DELAY_SECONDS;
  readonly #queues: ReadonlyMap<string, SqsModel>;

  constructor(queues: readonly SqsModel[]) {
    this.#queues = new Map(queues.map((queue) => [queue.name, queue]));
  }

  async open(name: string): Promise<SqsModel> {
    return this.#queues.get(name)!;
  }
}

function refused(code: string, message: string): EntryFailure {
  return { ok: false, code, message, retryable: false };
}
