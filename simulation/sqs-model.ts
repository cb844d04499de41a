/**
 * A model of SQS that keeps what AWS promises, and no more: messages come in any order (FIFO: in order within their
 * group), in answers of any size, sometimes twice; a delete with an old receipt handle succeeds and deletes nothing.
 * Source: the Amazon SQS developer guide and API reference.
 */
import type { Random } from '../harness/random.ts';
import type {
  EntryResult,
  Message,
  OutgoingMessage,
  Queue,
  QueueCounts,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../src/brokers/broker.ts';
import { SQS_LIMITS } from '../src/brokers/rules/limits.ts';
import type { VirtualTime } from './virtual-time.ts';

interface StoredMessage {
  readonly id: string;
  readonly sent: OutgoingMessage;
  readonly sentAt: number;
  visibleAt: number;
  receiveCount: number;
  /** The receipt handle of the last receive. */
  handle?: string;
}

export interface ModelSettings {
  readonly visibilityTimeout: number;
  /** Called before a message is delivered once more than it becomes visible. */
  readonly duplicated: (id: string, body: string) => void;
  readonly deadLetterQueue?: DeadLetterPolicy | undefined;
}

interface DeadLetterPolicy {
  readonly queue: SqsModel;
  readonly maxReceives: number;
  /** Called when a message moves there. */
  readonly moved: (body: string, messageId: string) => void;
}

const DEDUPLICATION_MS = 5 * 60 * 1000;

export class SqsModel implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly visibilityTimeout: number;
  readonly contentBasedDeduplication = false;
  readonly abortsReceives = false;
  readonly limits = SQS_LIMITS;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #settings: ModelSettings;
  /** In the order in which they were sent. */
  readonly #messages = new Set<StoredMessage>();
  readonly #byHandle = new Map<string, StoredMessage>();
  readonly #deduplication = new Map<string, { readonly at: number; readonly result: SendResult }>();
  /** The receives that wait, each as a function that answers it if there are messages. */
  readonly #waiting = new Set<() => void>();
  #numbers = 0;
  #answersTwice: number | undefined;
  #deliversAgain: number | undefined;

  constructor(name: string, time: VirtualTime, random: Random, settings: ModelSettings) {
    this.name = name;
    this.fifo = name.endsWith('.fifo');
    this.visibilityTimeout = settings.visibilityTimeout;
    this.#time = time;
    this.#random = random;
    this.#settings = settings;
  }

  /** The next receive returns one of its messages twice. */
  answerTwice(entry: number): void {
    this.#answersTwice = entry;
  }

  /** The next receive also returns a message that is in flight, or was deleted. */
  deliverAgain(entry: number): void {
    this.#deliversAgain = entry;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    const messages = this.#take(options);
    if (messages.length > 0 || options.waitSeconds === 0) return messages;
    return new Promise((resolve) => {
      const serve = () => {
        const later = this.#take(options);
        if (later.length > 0) answer(later);
      };
      const answer = (later: Message[]) => {
        if (this.#waiting.delete(serve)) resolve(later);
      };
      this.#waiting.add(serve);
      options.signal?.addEventListener('abort', () => this.#waiting.delete(serve), { once: true });
      this.#time.at(this.#time.now + options.waitSeconds * 1000, () => answer([]));
    });
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    return messages.map((message) => {
      const { deduplicationId } = message;
      const known = this.#deduplication.get(deduplicationId ?? '');
      if (this.fifo && known && this.#time.now - known.at < DEDUPLICATION_MS) return known.result;
      const result = { ok: true, messageId: this.#store(message, this.#time.now) } as const;
      if (deduplicationId) this.#deduplication.set(deduplicationId, { at: this.#time.now, result });
      return result;
    });
  }

  async delete(handles: readonly string[]): Promise<EntryResult[]> {
    return handles.map((handle) => {
      const message = this.#byHandle.get(handle);
      if (!message || !this.#messages.has(message)) return { ok: true };
      if (this.fifo && !this.#isInFlight(message)) return refused('InvalidParameterValue', 'it has expired');
      if (message.handle === handle) this.#remove(message);
      return { ok: true };
    });
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    return changes.map(({ receiptHandle, seconds }) => {
      const message = this.#byHandle.get(receiptHandle);
      if (!message || !this.#messages.has(message) || !this.#isInFlight(message)) {
        return refused('MessageNotInflight', 'it is not in flight');
      }
      if (message.handle !== receiptHandle) return refused('InvalidParameterValue', 'it has expired');
      this.#hide(message, seconds);
      return { ok: true };
    });
  }

  async counts(): Promise<QueueCounts> {
    const inFlight = [...this.#messages].filter((message) => this.#isInFlight(message)).length;
    const visible = [...this.#messages].filter(({ visibleAt }) => visibleAt <= this.#time.now).length;
    return { visible, inFlight, delayed: this.#messages.size - inFlight - visible };
  }

  async purge(): Promise<void> {
    this.#messages.clear();
  }

  /** Stores a new message, and returns its id. */
  #store(sent: OutgoingMessage, sentAt: number): string {
    this.#numbers += 1;
    const message = { id: `${this.name}-${this.#numbers}`, sent, sentAt, visibleAt: 0, receiveCount: 0 };
    this.#messages.add(message);
    this.#hide(message, sent.delaySeconds ?? 0);
    return message.id;
  }

  /** Makes a message visible after this time: then receives that wait get it. */
  #hide(message: StoredMessage, seconds: number): void {
    message.visibleAt = this.#time.now + seconds * 1000;
    this.#time.at(message.visibleAt, () => this.#serve());
  }

  #remove(message: StoredMessage): void {
    this.#messages.delete(message);
    // The next one of its group may be free.
    if (this.fifo) this.#time.at(this.#time.now, () => this.#serve());
  }

  #serve(): void {
    for (const serve of this.#waiting) serve();
  }

  #isInFlight({ receiveCount, visibleAt }: StoredMessage): boolean {
    return receiveCount > 0 && visibleAt > this.#time.now;
  }

  #take({ max, visibilityTimeout = this.visibilityTimeout }: ReceiveOptions): Message[] {
    const taken: Message[] = [];
    // Fewer than there are, as often on SQS.
    const most = this.#random() < 0.7 ? max : 1 + Math.floor(this.#random() * max);
    for (const message of this.#available()) {
      if (taken.length < most && !this.#bury(message)) taken.push(this.#deliver(message, visibilityTimeout));
    }
    const again = (handle: string | undefined) => {
      if (handle === undefined || this.fifo || taken.length === max) return;
      const message = this.#byHandle.get(handle)!;
      this.#settings.duplicated(message.id, message.sent.body);
      taken.push(this.#deliver(message, visibilityTimeout));
    };
    if (this.#answersTwice !== undefined && taken.length > 0) {
      again(taken[this.#answersTwice % taken.length]?.receiptHandle);
      this.#answersTwice = undefined;
    }
    if (this.#deliversAgain !== undefined) {
      const handles = [...this.#byHandle.keys()];
      again(handles[(this.#deliversAgain * 7) % handles.length]);
      this.#deliversAgain = undefined;
    }
    return taken;
  }

  /** Standard: all visible messages, in any order. FIFO: those of groups that have none in flight, in order. */
  #available(): StoredMessage[] {
    const messages = [...this.#messages];
    const isVisible = ({ visibleAt }: StoredMessage) => visibleAt <= this.#time.now;
    if (!this.fifo) {
      const places = new Map(messages.filter(isVisible).map((message) => [message, this.#random()]));
      return [...places.keys()].sort((one, other) => places.get(one)! - places.get(other)!);
    }
    const blocked = new Set(messages.filter((message) => this.#isInFlight(message)).map(groupOf));
    return messages.filter((message) => {
      if (!isVisible(message)) blocked.add(groupOf(message));
      return !blocked.has(groupOf(message));
    });
  }

  /** Moves a message to the dead-letter queue if it was received too often. */
  #bury(message: StoredMessage): boolean {
    const { deadLetterQueue } = this.#settings;
    if (!deadLetterQueue || message.receiveCount < deadLetterQueue.maxReceives) return false;
    this.#remove(message);
    deadLetterQueue.moved(message.sent.body, message.id);
    deadLetterQueue.queue.#store(message.sent, message.sentAt);
    return true;
  }

  #deliver(message: StoredMessage, visibilityTimeout: number): Message {
    const { id, sent, sentAt } = message;
    const { body, attributes = {}, groupId, deduplicationId } = sent;
    message.receiveCount += 1;
    message.handle = `${id}/${message.receiveCount}`;
    this.#byHandle.set(message.handle, message);
    this.#hide(message, visibilityTimeout);
    return {
      ...{ id, body, attributes, receiptHandle: message.handle, receiveCount: message.receiveCount, sentAt },
      ...(groupId !== undefined && { groupId }),
      ...(deduplicationId !== undefined && { deduplicationId }),
    };
  }
}

function groupOf({ sent }: StoredMessage): string | undefined {
  return sent.groupId;
}

function refused(code: string, message: string): EntryResult {
  return { ok: false, code, message, retryable: false };
}
