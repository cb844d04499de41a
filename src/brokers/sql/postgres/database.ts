/** A Postgres database as the broker uses it: statements, transactions that begin again if they must, and news of others. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { ReceiveOptions } from '../../broker.ts';
import { CallsUnderWay } from '../calls-under-way.ts';
import type { Database, SqlDialect } from '../database.ts';
import type { QueueRow, Tables } from '../schema.ts';
import type { Taken } from '../taking.ts';
import { isConflict } from './failures.ts';
import { takeAtOnce } from './taking.ts';
import type { NotificationWatch } from './watch.ts';

/** How often a transaction is tried that always comes into the way of others. */
const TRIES = 5;

export class PostgresDatabase implements Database {
  readonly description: string;
  readonly dialect: SqlDialect;
  readonly #tables: Kysely<Tables>;
  readonly #watch: NotificationWatch;
  readonly #calls = new CallsUnderWay();

  /** The tables are in `schema`, which is the channel of the watch, too. */
  constructor(description: string, schema: string, tables: Kysely<Tables>, watch: NotificationWatch) {
    this.description = description;
    this.dialect = {
      now: sql<number>`floor(extract(epoch from statement_timestamp()) * 1000)::bigint`,
      relaxed: sql`set_config('synchronous_commit', 'off', true)`,
      announcement: (queue) => sql`pg_notify(${schema}, ${queue})`,
      bytes: sql`bytea`,
    };
    this.#tables = tables;
    this.#watch = watch;
  }

  read<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    return this.#calls.track(work(this.#tables));
  }

  changeAtOnce<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    return this.#calls.track(untilItEnds(() => work(this.#tables)));
  }

  change<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return this.#calls.track(untilItEnds(() => this.#tables.transaction().execute(work)));
  }

  claim<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return this.change(work);
  }

  takeAtOnce(queue: QueueRow, options: ReceiveOptions): Promise<Taken | undefined> {
    return this.changeAtOnce((tables) => takeAtOnce(tables, queue, options, this.dialect));
  }

  watch(changed: (queue?: string) => void): () => void {
    return this.#watch.watch(changed);
  }

  async close(): Promise<void> {
    await this.#calls.ended();
    await Promise.all([this.#watch.close(), this.#tables.destroy()]);
  }
}

/** The server ends one of two that wait for each other. It has changed nothing, and can begin again. */
async function untilItEnds<Result>(change: () => Promise<Result>): Promise<Result> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await change();
    } catch (error) {
      if (left === 0 || !isConflict(error)) throw error;
    }
  }
}
