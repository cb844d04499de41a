/** A SQLite file as the broker uses it: reading, the two kinds of transactions, and news of other processes. */
import type { DatabaseSync } from 'node:sqlite';
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './database.ts';
import type { Tables } from './schema.ts';
import { commitWatch } from './sqlite-watch.ts';

export class SqliteDatabase implements Database {
  readonly description: string;
  readonly watch: Database['watch'];
  readonly #connection: DatabaseSync;
  readonly #tables: Kysely<Tables>;
  readonly #underWay = new Set<Promise<unknown>>();

  /** `tables` is Kysely on `connection`, which has the file at `path` open. */
  constructor(path: string, connection: DatabaseSync, tables: Kysely<Tables>) {
    this.description = `sqlite:${path}`;
    this.#connection = connection;
    this.#tables = tables;
    const version = connection.prepare('pragma data_version');
    this.watch = commitWatch(path, () => Number(version.get()!.data_version));
  }

  read<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result> {
    return this.#track(work(this.#tables));
  }

  change<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    return this.#track(giveWay(this.#tables.transaction().execute(work)));
  }

  /** Does not wait for the disk, which doubles the rate. */
  claim<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result> {
    const claimed = this.#tables.connection().execute(async (tables) => {
      this.#connection.exec('pragma synchronous = normal');
      try {
        return await tables.transaction().execute(work);
      } finally {
        this.#connection.exec('pragma synchronous = full');
      }
    });
    return this.#track(giveWay(claimed));
  }

  now(): number {
    return Date.now();
  }

  async close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    await this.#tables.destroy();
  }

  async #track<Result>(call: Promise<Result>): Promise<Result> {
    this.#underWay.add(call);
    try {
      return await call;
    } finally {
      this.#underWay.delete(call);
    }
  }
}

/**
 * Ends a turn of the event loop later. SQLite's lock has no line of those who wait for it: a busy process would take it
 * again at once, and neither its own timers nor other processes would get theirs.
 */
async function giveWay<Result>(transaction: Promise<Result>): Promise<Result> {
  const result = await transaction;
  await new Promise((resolve) => setImmediate(resolve));
  return result;
}
