/** One queue in a database. Each operation is a transaction, or, for a receive, as many as it takes. */
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
import { isFifoName } from '../queue-name.ts';
import { checkBatch, checkReceive, refusals } from '../sqs-rules.ts';
import { type Claim, claim } from './claim.ts';
import type { Database } from './database.ts';
import { countMessages, nextVisibleAt } from './looking.ts';
import type { News } from './news.ts';
import { purge } from './purging.ts';
import type { QueueRow, Tables } from './schema.ts';
import { sendMessages } from './sending.ts';
import { changeVisibilities, deleteMessages } from './settling.ts';

export class DatabaseQueue implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly abortsReceives = true;
  readonly #database: Database;
  readonly #news: News;
  readonly #maxDelaySeconds: number;
  /** As last read. */
  #row: QueueRow;

  constructor(row: QueueRow, database: Database, news: News, maxDelaySeconds: number) {
    this.name = row.name;
    this.fifo = isFifoName(row.name);
    this.#row = row;
    this.#database = database;
    this.#news = news;
    this.#maxDelaySeconds = maxDelaySeconds;
  }

  get visibilityTimeout(): number {
    return this.#row.visibility_timeout;
  }

  get contentBasedDeduplication(): boolean {
    return this.#row.content_based_deduplication !== 0;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    checkReceive(this.name, options);
    const endsAt = performance.now() + options.waitSeconds * 1000;
    for (;;) {
      const newsCount = this.#news.count;
      if (this.#news.isClosed || options.signal?.aborted) return [];
      const dueInMs = (await this.#nextVisibleAt()) - this.#database.now();
      // The look at the queue may have ended after the broker was closed.
      if (this.#news.isClosed) return [];
      if (dueInMs <= 0) {
        const messages = await this.#claim(options);
        if (messages.length > 0) return messages;
      } else {
        const leftMs = endsAt - performance.now();
        if (leftMs <= 0) return [];
        await this.#news.next(this.name, newsCount, Math.min(leftMs, dueInMs), options.signal);
      }
    }
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const results = await this.#change(async (tables, row, now) => {
      const refused = refusals(this, messages, this.#maxDelaySeconds);
      const good = messages.filter((_, index) => !refused[index]);
      const sent = good.length > 0 ? await sendMessages(tables, row, good, now) : [];
      return refused.map((refusal) => refusal ?? sent.shift()!);
    });
    this.#news.announce(this.name);
    return results;
  }

  async delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    checkBatch(this.name, receiptHandles);
    const results = await this.#change((tables, row, now) =>
      deleteMessages(tables, row, receiptHandles, now),
    );
    if (this.fifo) this.#news.announce(this.name);
    return results;
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    checkBatch(this.name, changes);
    const results = await this.#change((tables, row, now) => changeVisibilities(tables, row, changes, now));
    this.#news.announce(this.name);
    return results;
  }

  counts(): Promise<QueueCounts> {
    return this.#database.read(async (tables) =>
      countMessages(tables, await this.#readRow(tables), this.#database.now()),
    );
  }

  async purge(): Promise<void> {
    await purge(this.#database, await this.#database.read((tables) => this.#readRow(tables)));
  }

  /** When the next message can be received: milliseconds since the epoch, Infinity without messages. */
  async #nextVisibleAt(): Promise<number> {
    const next = await this.#database.read((tables) => nextVisibleAt(tables, this.name));
    if (next === undefined) throw this.#notFound();
    return next;
  }

  async #claim(options: ReceiveOptions): Promise<Message[]> {
    const claimed = await this.#database.claim(async (tables): Promise<Claim> => {
      const row = await this.#readRow(tables);
      // The lock may have been waited for.
      if (options.signal?.aborted) return { messages: [] };
      return claim(tables, row, options, this.#database.now());
    });
    if (claimed.deadLetterQueue !== undefined) this.#news.announce(claimed.deadLetterQueue);
    return claimed.messages;
  }

  #change<Result>(
    work: (tables: Kysely<Tables>, row: QueueRow, now: number) => Promise<Result>,
  ): Promise<Result> {
    return this.#database.change(async (tables) =>
      work(tables, await this.#readRow(tables), this.#database.now()),
    );
  }

  async #readRow(tables: Kysely<Tables>): Promise<QueueRow> {
    const row = await tables.selectFrom('queue').selectAll().where('name', '=', this.name).executeTakeFirst();
    if (!row) throw this.#notFound();
    this.#row = row;
    return row;
  }

  #notFound(): QueueNotFoundError {
    return new QueueNotFoundError(this.name, this.#database.description);
  }
}
