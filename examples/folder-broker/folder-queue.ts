// A queue in a folder. Its operations are synchronous inside, so nothing else in this process runs between their steps. Other
// processes can interfere; then a rename fails.
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CreateOptions,
  changeResult,
  checkBatch,
  checkReceive,
  DEFAULT_SETTINGS,
  deleteResult,
  type EntryResult,
  type HeldMessage,
  type Message,
  type OutgoingMessage,
  type Queue,
  type QueueCounts,
  QueueNotFoundError,
  type ReceiveOptions,
  refusals,
  type SendResult,
  SQS_LIMITS,
  standing,
  type VisibilityChange,
} from 'sqs-containers/broker';
import { FolderChanges, ifThere, rename, writeWhole } from './files.ts';
import {
  decodeContent,
  encodeContent,
  fileName,
  type MessageFile,
  parseFileName,
  parseReceiptHandle,
  receiptHandle,
} from './message-file.ts';

export type Settings = CreateOptions & typeof DEFAULT_SETTINGS;

export const SETTINGS_FILE = 'settings.json';

/** The settings of the queue in a folder, or undefined if there is no queue. */
export function readSettings(folder: string): Settings | undefined {
  const text = ifThere(() => readFileSync(join(folder, SETTINGS_FILE), 'utf8'));
  return text === undefined ? undefined : { ...DEFAULT_SETTINGS, ...(JSON.parse(text) as CreateOptions) };
}

export class FolderQueue implements Queue {
  readonly name: string;
  readonly fifo = false;
  readonly contentBasedDeduplication = false;
  readonly abortsReceives = true;
  readonly limits = SQS_LIMITS;
  readonly visibilityTimeout: number;
  readonly #queues: string;
  readonly #folder: string;
  readonly #maxDelaySeconds: number;
  readonly #closed: AbortSignal;

  /** The queue `name` in the folder of all queues. `closed` aborts when the broker is closed. */
  constructor(name: string, queues: string, maxDelaySeconds: number, closed: AbortSignal) {
    this.name = name;
    this.#queues = queues;
    this.#folder = join(queues, name);
    this.#maxDelaySeconds = maxDelaySeconds;
    this.#closed = closed;
    this.visibilityTimeout = this.#settings().visibilityTimeout;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    checkReceive(this, options);
    const ending = AbortSignal.any([this.#closed, ...(options.signal ? [options.signal] : [])]);
    const endsAt = Date.now() + options.waitSeconds * 1000;
    this.#settings();
    // Watch before the first check, so that no message that arrives right after it is missed.
    const changes = new FolderChanges(this.#folder);
    try {
      while (!ending.aborted) {
        const messages = this.#take(options);
        if (messages.length > 0 || Date.now() >= endsAt) return messages;
        const nextVisibleAt = this.#files()[0]?.visibleAt ?? endsAt;
        await changes.next(Math.min(nextVisibleAt, endsAt), ending);
      }
      return [];
    } finally {
      changes.close();
    }
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const { delaySeconds } = this.#settings();
    return refusals(this, messages, this.#maxDelaySeconds).map(
      (refusal, index) => refusal ?? this.#write({ delaySeconds, ...messages[index]! }),
    );
  }

  async delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    checkBatch(this, receiptHandles);
    this.#settings();
    return receiptHandles.map((handle) => this.#delete(handle));
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    checkBatch(this, changes);
    this.#settings();
    return changes.map((change) => this.#changeVisibility(change));
  }

  async counts(): Promise<QueueCounts> {
    this.#settings();
    const now = Date.now();
    const files = this.#files();
    const inFlight = files.filter((file) => held(file, now).isInFlight).length;
    const visible = files.filter(({ visibleAt }) => visibleAt <= now).length;
    return { visible, inFlight, delayed: files.length - visible - inFlight };
  }

  async purge(): Promise<void> {
    this.#settings();
    for (const file of this.#files()) rmSync(this.#path(file), { force: true });
  }

  #take({ max, visibilityTimeout }: ReceiveOptions): Message[] {
    const settings = this.#settings();
    const now = Date.now();
    const deadLetters = settings.deadLetterQueue && join(this.#queues, settings.deadLetterQueue.name);
    const bounds = {
      retentionSeconds: settings.retentionSeconds,
      // If the dead-letter queue was removed meanwhile, there is no maximum.
      maxReceives: deadLetters && existsSync(deadLetters) ? settings.deadLetterQueue?.maxReceives : undefined,
    };
    const visibleAt = now + (visibilityTimeout ?? settings.visibilityTimeout) * 1000;
    const messages: Message[] = [];
    for (const file of this.#files()) {
      if (file.visibleAt > now || messages.length === max) break;
      const found = standing(file, bounds, now);
      if (found === 'expired') {
        this.#remove(file);
      } else if (found === 'exhausted' && deadLetters) {
        const moved = { ...file, visibleAt: now, receiveCount: 0, token: '' };
        rename(this.#path(file), join(deadLetters, fileName(moved)));
      } else {
        const token = randomBytes(8).toString('hex');
        const message = this.#claim(file, { ...file, visibleAt, receiveCount: file.receiveCount + 1, token });
        if (message) messages.push(message);
      }
    }
    return messages;
  }

  /** Returns undefined if another process was faster. */
  #claim(file: MessageFile, claimed: MessageFile): Message | undefined {
    if (!rename(this.#path(file), this.#path(claimed))) return undefined;
    const text = ifThere(() => readFileSync(this.#path(claimed), 'utf8'));
    if (text === undefined) return undefined;
    const { id, sentAt, receiveCount } = claimed;
    return { id, sentAt, receiveCount, receiptHandle: receiptHandle(claimed), ...decodeContent(text) };
  }

  #write(message: OutgoingMessage): SendResult {
    const now = Date.now();
    const { delaySeconds = 0 } = message;
    const file = {
      visibleAt: now + delaySeconds * 1000,
      sentAt: now,
      id: randomUUID(),
      receiveCount: 0,
      token: '',
    };
    if (!writeWhole(this.#path(file), encodeContent(message))) throw this.#notFound();
    return { ok: true, messageId: file.id };
  }

  #delete(handle: string): EntryResult {
    const receipt = parseReceiptHandle(handle);
    const file = this.#find(receipt?.id);
    const result = deleteResult(receipt, file && held(file, Date.now()), this.fifo);
    // If another process has just received the message again, the handle is now stale.
    return file && result.ok && !this.#remove(file) ? this.#delete(handle) : result;
  }

  #changeVisibility(change: VisibilityChange): EntryResult {
    const now = Date.now();
    const receipt = parseReceiptHandle(change.receiptHandle);
    const file = this.#find(receipt?.id);
    const result = changeResult(change, receipt, file && held(file, now));
    if (!file || !result.ok) return result;
    const changed = { ...file, visibleAt: now + change.seconds * 1000 };
    return rename(this.#path(file), this.#path(changed)) ? result : this.#changeVisibility(change);
  }

  #remove(file: MessageFile): boolean {
    return ifThere(() => unlinkSync(this.#path(file)) ?? true) ?? false;
  }

  /** The messages, in the order in which they become visible. */
  #files(): MessageFile[] {
    const names = ifThere(() => readdirSync(this.#folder)) ?? [];
    return names.sort().flatMap((name) => parseFileName(name) ?? []);
  }

  #find(id: string | undefined): MessageFile | undefined {
    return this.#files().find((file) => file.id === id);
  }

  #path(file: MessageFile): string {
    return join(this.#folder, fileName(file));
  }

  /** Throws QueueNotFoundError if the queue was removed. */
  #settings(): Settings {
    const settings = readSettings(this.#folder);
    if (!settings) throw this.#notFound();
    return settings;
  }

  #notFound(): QueueNotFoundError {
    return new QueueNotFoundError(this.name, `the folder ${this.#queues}`);
  }
}

function held({ token, visibleAt, receiveCount }: MessageFile, now: number): HeldMessage {
  return { token, isInFlight: receiveCount > 0 && visibleAt > now };
}
