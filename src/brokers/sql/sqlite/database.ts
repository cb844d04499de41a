/** A SQLite file as the broker uses it: reading, the two kinds of transactions, and news of other processes. */
import type { DatabaseSync } from 'node:sqlite';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { ReceiveOptions } from '../../broker.ts';
import { CallsUnderWay } from '../calls-under-way.ts';
import type { Database, SqlDialect } from '../database.ts';
import type { QueueRow, Tables } from '../schema.ts';
import type { Taken } from '../taking.ts';
import { sqliteFailure } from './failures.ts';
import { SharedTransactions } from './shared-transactions.ts';
import { Taking } from './taking.ts';
import { commitWatch } from './watch.ts';

/** What waits for the disk is set on the connection, and who watches the file sees each commit. */
const DIALECT: SqlDialect = {
  now: sql<number>`cast(clock() as integer)`,
  relaxed: sql`null`,
  announcement: () => sql`null`,
  bytes: sql`blob`,
};

export class SqliteDatabase implements Database {
  readonly description: string;
  readonly dialect = DIALECT;
  readonly watch: Database['watch'];
  readonly #tables: Kysely<Tables>;
  readonly #path: string;
  readonly #transactions: SharedTransactions;
  readonly #taking: Taking;
  readonly #calls = new CallsUnderWay();

  /** `tables` is Kysely on `connection`, which has the file at `path` open. */
  constructor(path: string, connection: DatabaseSync, tables: Kysely<Tables>) {
    this.description = `sqlite:${path}`;
    this.#path = path;
    connection.function('clock', () => Date.now());
    this.#transactions = new SharedTransactions(connection, tables);
    this.#taking = new Taking(connection);
    this.#tables = tables;
    const version = connection.prepare('pragma data_version');
    this.watch = commitWatch(path, () => Number(version.get()!.data_version));
  }

  read<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    return this.#calls.track(work(this.#tables));
  }

  changeAtOnce<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    return this.change(work);
  }

  change<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return this.#calls.track(this.#transactions.run('full', work));
  }

  claim<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return this.#calls.track(this.#transactions.run('normal', work));
  }

  takeAtOnce({ name }: QueueRow, options: ReceiveOptions): Promise<Taken | undefined> {
    return this.claim(async () => {
      try {
        return this.#taking.take(name, options);
      } catch (error) {
        throw sqliteFailure(this.#path, error);
      }
    });
  }

  async close(): Promise<void> {
    await this.#calls.ended();
    await this.#tables.destroy();
  }
}
