/**
 * What the broker asks of a database: the part that differs from one database to the other, and what all have in common.
 * Failures are BrokerErrors.
 */
import { randomBytes } from 'node:crypto';
import type { Kysely, QueryCreator, RawBuilder, SelectQueryBuilder, Transaction } from 'kysely';
import type { ReceiveOptions } from '../broker.ts';
import type { MessageRow, QueueRow, Tables } from './schema.ts';

export interface Database {
  /** For people, such as `sqlite:/var/lib/worker/queues.db`. */
  readonly description: string;
  readonly dialect: SqlDialect;
  read<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /** Runs one statement that changes something. When it resolves, what was done will last. */
  changeAtOnce<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * Runs `work` in a transaction. When it resolves, what was done will last. It may run several times, if others that
   * change something at the same time make it start again.
   */
  change<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * `change` for receiving: after a loss of power, messages may be visible again as if nobody had received them. The
   * transaction selects the dialect's `relaxed`.
   */
  claim<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** Takes messages of a standard queue for a receive, in the way that is fastest there. */
  take(queue: QueueRow, options: ReceiveOptions): Promise<Taken | undefined>;
  /**
   * Calls `changed` when other processes may have changed something, with the queue if it is known, until the returned
   * function is called. It does so only later, never at once.
   */
  watch(changed: (queue?: string) => void): () => void;
  /** Lets what is under way end, and closes the connections. */
  close(): Promise<void>;
}

/**
 * The SQL that differs. The rest is written for both: rows that are to be changed are locked with `for update`, which
 * means nothing where a transaction excludes all others.
 */
export interface SqlDialect {
  /** The clock that all processes share, in milliseconds since the epoch, as the statement begins. */
  readonly now: RawBuilder<number>;
  /** Selected in a transaction, lets its end not wait for the disk. */
  readonly relaxed: RawBuilder<unknown>;
  /** Selected in a transaction, tells the other processes, when it commits, that a queue has changed. */
  announcement(queue: string | RawBuilder<string>): RawBuilder<unknown>;
  /** The type of columns of bytes. */
  readonly bytes: RawBuilder<unknown>;
}

/** A queue as it is now. */
export interface QueueNow extends QueueRow {
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Selects a queue, for a statement of its own or as a part of one. */
export function selectQueue(
  tables: QueryCreator<Tables>,
  name: string | RawBuilder<string>,
  dialect: SqlDialect,
): SelectQueryBuilder<Tables, 'queue', QueueNow> {
  return tables.selectFrom('queue').selectAll().select(dialect.now.as('now')).where('name', '=', name);
}

/** Messages that were put in flight, in the order in which they are received. */
export interface Taken {
  readonly queue: QueueNow;
  readonly rows: readonly MessageRow[];
  readonly receipt: string;
}

/** A token of one receive. */
export function newReceipt(): string {
  return randomBytes(8).toString('hex');
}

/** Tracks in-flight calls so that `close` can wait for them. */
export class InFlightCalls {
  readonly #calls = new Set<Promise<unknown>>();

  /** Resolves or rejects as the call does. */
  async track<Result>(call: Promise<Result>): Promise<Result> {
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Resolves when no call is left, those included that begin meanwhile. */
  async ended(): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
  }
}
