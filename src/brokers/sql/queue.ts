/** A queue in a database. Each operation is one statement or transaction; a receive may take several. */
import type { Kysely } from 'kysely';
import type {
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
import type { PendingPolls } from '../pending-polls.ts';
import { SQS_LIMITS } from '../rules/limits.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { checkBatch, checkReceive, refusals } from '../rules/sqs-rules.ts';
import { type Database, type QueueNow, selectQueue } from './database.ts';
import { countMessages, inspection, nextVisibleIn } from './inspect.ts';
import { type Claim, claim } from './receive.ts';
import type { QueueRow, Tables } from './schema.ts';
import { sendToFifo, sendToStandard } from './send.ts';
import { changeVisibilities, deleteByStatement, deleteMessages, purge } from './settle.ts';

/** How soon to retry when other transactions have locked all receivable messages: they will probably take them. */
const LOCKED_MS = 20;

export class SqlQueue implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly abortsReceives = true;
  readonly limits = SQS_LIMITS;
  readonly inspect = inspection((look) => this.#read(look));
  readonly #database: Database;
  readonly #polls: PendingPolls;
  readonly #maxDelaySeconds: number;
  /** The queue's row as last read. */
  #row: QueueRow;
  /** Whether the last receive got messages: then there are probably more, and the next receive does not check first. */
  #isBusy = false;

  constructor(row: QueueRow, database: Database, polls: PendingPolls, maxDelaySeconds: number) {
    this.name = row.name;
    this.fifo = isFifoName(row.name);
    this.#row = row;
    this.#database = database;
    this.#polls = polls;
    this.#maxDelaySeconds = maxDelaySeconds;
  }

  get visibilityTimeout(): number {
    return this.#row.visibility_timeout;
  }

  get contentBasedDeduplication(): boolean {
    return this.#row.content_based_deduplication !== 0;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    checkReceive(this, options);
    const endsAt = this.#database.machine.now() + options.waitSeconds * 1000;
    for (;;) {
      const { wakeUps } = this.#polls;
      if (this.#polls.isClosed || options.signal?.aborted) return [];
      const isBusy = this.#isBusy;
      const dueInMs = isBusy ? 0 : await this.#nextVisibleIn();
      // The broker may have been closed during the check.
      if (this.#polls.isClosed) return [];
      const claimed = dueInMs <= 0 ? await this.#claim(options) : undefined;
      if (claimed && claimed.messages.length > 0) return claimed.messages;
      // Try again: either nothing was checked before, or all messages taken were expired or dead letters.
      if (isBusy || (claimed && !claimed.isEmpty)) continue;
      const leftMs = endsAt - this.#database.machine.now();
      if (leftMs <= 0) return [];
      const milliseconds = Math.min(leftMs, Math.max(dueInMs, LOCKED_MS));
      await this.#polls.wait(this.name, { wakeUps, milliseconds, signal: options.signal });
    }
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const results = this.fifo ? await this.#sendToFifo(messages) : await this.#sendToStandard(messages);
    this.#polls.wake(this.name);
    return results;
  }

  async delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    checkBatch(this, receiptHandles);
    const { dialect } = this.#database;
    if (!this.fifo) {
      const areDeleted = await this.#database.changeAtOnce((tables) =>
        deleteByStatement(tables, this.name, receiptHandles, dialect),
      );
      if (areDeleted) return receiptHandles.map(() => ({ ok: true }));
    }
    // Messages that the statement already deleted count as deleted, which is not an error.
    const results = await this.#change((tables, row) => deleteMessages(tables, row, receiptHandles, dialect));
    if (this.fifo) this.#polls.wake(this.name);
    return results;
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    checkBatch(this, changes);
    const { dialect } = this.#database;
    const results = await this.#change((tables, row) => changeVisibilities(tables, row, changes, dialect));
    this.#polls.wake(this.name);
    return results;
  }

  counts(): Promise<QueueCounts> {
    return this.#read(countMessages);
  }

  async purge(): Promise<void> {
    await purge(this.#database, await this.#read(async (_, row) => row));
  }

  async #sendToStandard(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const refused = refusals(this, messages, this.#maxDelaySeconds);
    const good = messages.filter((_, index) => !refused[index]);
    if (good.length === 0) return refused.map((refusal) => refusal!);
    const sent = await this.#database.changeAtOnce((tables) =>
      sendToStandard(tables, this.name, good, this.#database),
    );
    if (!sent) throw this.#notFound();
    return refused.map((refusal) => refusal ?? sent.shift()!);
  }

  #sendToFifo(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    return this.#change(async (tables, row) => {
      // The setting for content-based deduplication may have changed.
      const refused = refusals(this, messages, this.#maxDelaySeconds);
      const good = messages.filter((_, index) => !refused[index]);
      const sent = good.length > 0 ? await sendToFifo(tables, row, good, this.#database) : [];
      return refused.map((refusal) => refusal ?? sent.shift()!);
    });
  }

  /** Milliseconds until the next message can be received: Infinity if there are no messages. */
  async #nextVisibleIn(): Promise<number> {
    const { dialect } = this.#database;
    const dueInMs = await this.#database.read((tables) => nextVisibleIn(tables, this.name, dialect));
    if (dueInMs === undefined) throw this.#notFound();
    return dueInMs;
  }

  async #claim(options: ReceiveOptions): Promise<Claim> {
    const claimed = await claim(this.#database, this.#row, options);
    this.#isBusy = claimed.messages.length > 0;
    if (claimed.queue) this.#row = claimed.queue;
    if (claimed.deadLetterQueue !== undefined) this.#polls.wake(claimed.deadLetterQueue);
    return claimed;
  }

  #read<Result>(look: (tables: Kysely<Tables>, row: QueueNow) => Promise<Result>): Promise<Result> {
    return this.#database.read(async (tables) => look(tables, await this.#readRow(tables)));
  }

  #change<Result>(work: (tables: Kysely<Tables>, row: QueueNow) => Promise<Result>): Promise<Result> {
    return this.#database.change(async (tables) => work(tables, await this.#readRow(tables)));
  }

  async #readRow(tables: Kysely<Tables>): Promise<QueueNow> {
    const row = await selectQueue(tables, this.name, this.#database.dialect).executeTakeFirst();
    if (!row) throw this.#notFound();
    this.#row = row;
    return row;
  }

  #notFound(): QueueNotFoundError {
    return new QueueNotFoundError(this.name, this.#database.description);
  }
}
