/**
 * The interface between the broker and a database, with the parts that differ between databases, and helpers that all of
 * them share. Failures are BrokerErrors.
 */
import type { Kysely, QueryCreator, RawBuilder, SelectQueryBuilder, Transaction } from 'kysely';
import type { Machine } from '../../host/host.ts';
import type { ReceiveOptions } from '../broker.ts';
import type { MessageRow, QueueRow, Tables } from './schema.ts';

export interface Database {
  /** For log and error messages, such as `sqlite:/var/lib/worker/queues.db`. */
  readonly description: string;
  readonly dialect: SqlDialect;
  /** Provides the clock, timers and IDs. */
  readonly machine: Machine;
  read<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /** Runs a single statement that writes. When it resolves, the change is durable. */
  changeAtOnce<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * Runs `work` in a transaction. When it resolves, the changes are durable. `work` may run several times if concurrent
   * transactions force a retry.
   */
  change<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * Like `change`, but for receiving: after a power failure, the messages may be visible again as if they had not been
   * received. The transaction must select the dialect's `relaxed`.
   */
  claim<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** Takes messages from a standard queue for a receive, in the fastest way for this database. */
  take(queue: QueueRow, options: ReceiveOptions): Promise<Taken | undefined>;
  /**
   * Calls `changed` when other processes may have changed something, with the queue if known, until the returned function is
   * called. Never calls it synchronously.
   */
  watch(changed: (queue?: string) => void): () => void;
  /** Waits for calls in progress, and closes the connections. */
  close(): Promise<void>;
}

/**
 * The SQL that differs between databases. All other SQL works on both: it locks rows with `for update` before changing them,
 * which is unnecessary on a database whose transactions exclude each other.
 */
export interface SqlDialect {
  /** The time of the clock that all processes share, at the start of the statement, in milliseconds since the epoch. */
  readonly now: RawBuilder<number>;
  /** Select it in a transaction so that its commit does not wait for the disk. */
  readonly relaxed: RawBuilder<unknown>;
  /** Select it in a transaction to notify other processes on commit that a queue has changed. */
  announcement(queue: string | RawBuilder<string>): RawBuilder<unknown>;
  /** The column type for bytes. */
  readonly bytes: RawBuilder<unknown>;
}

/** A queue and the current time. */
export interface QueueNow extends QueueRow {
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Selects a queue, as a statement or as part of one. */
export function selectQueue(
  tables: QueryCreator<Tables>,
  name: string | RawBuilder<string>,
  dialect: SqlDialect,
): SelectQueryBuilder<Tables, 'queue', QueueNow> {
  return tables.selectFrom('queue').selectAll().select(dialect.now.as('now')).where('name', '=', name);
}

/** Messages that a receive has put in flight, in order. */
export interface Taken {
  readonly queue: QueueNow;
  readonly rows: readonly MessageRow[];
  readonly receipt: string;
}

/** Creates a token for one receive: the last 16 hexadecimal digits of a UUID. */
export function newReceipt(machine: Pick<Machine, 'uuid'>): string {
  return machine.uuid().slice(19).replace('-', '');
}

/** Tracks in-flight calls so that `close` can wait for them. */
export class InFlightCalls {
  readonly #calls = new Set<Promise<unknown>>();

  /** Tracks a call. Resolves or rejects like the call. */
  async track<Result>(call: Promise<Result>): Promise<Result> {
    this.#calls.add(call);
    try {
      return await call;
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Resolves when no call is in flight, including calls that start in the meantime. */
  async ended(): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
  }
}
