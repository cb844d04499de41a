/** A SQLite file as a Database: reads, the two kinds of transactions, receives, and a watch for writes by other processes. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Machine } from '../../../host/host.ts';
import type { ReceiveOptions } from '../../broker.ts';
import { type Database, InFlightCalls, newReceipt, type SqlDialect, type Taken } from '../database.ts';
import type { MessageRow, QueueRow, Tables } from '../schema.ts';
import { sqliteFailure } from './failures.ts';
import { SharedTransactions } from './shared-transactions.ts';
import { commitWatch, type WatchFile } from './watch.ts';

/** `relaxed` and `announcement` do nothing: the connection controls waits for the disk, and watchers see every commit. */
const DIALECT: SqlDialect = {
  now: sql<number>`cast(clock() as integer)`,
  relaxed: sql`null`,
  announcement: () => sql`null`,
  bytes: sql`blob`,
};

export class SqliteDatabase implements Database {
  readonly description: string;
  readonly dialect = DIALECT;
  readonly machine: Machine;
  readonly watch: Database['watch'];
  readonly #tables: Kysely<Tables>;
  readonly #path: string;
  readonly #transactions: SharedTransactions;
  readonly #takeStatements: TakeStatements;
  readonly #calls = new InFlightCalls();

  /** `tables` is Kysely on `connection`, an open connection to the file at `path`. */
  constructor(
    path: string,
    connection: DatabaseSync,
    tables: Kysely<Tables>,
    { machine, watchFile }: { readonly machine: Machine; readonly watchFile: WatchFile },
  ) {
    this.description = `sqlite:${path}`;
    this.machine = machine;
    this.#path = path;
    connection.function('clock', () => machine.wallClock());
    this.#transactions = new SharedTransactions(connection, tables, machine);
    this.#takeStatements = new TakeStatements(connection, machine);
    this.#tables = tables;
    const version = connection.prepare('pragma data_version');
    this.watch = commitWatch(path, () => Number(version.get()!.data_version), machine, watchFile);
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

  take({ name }: QueueRow, options: ReceiveOptions): Promise<Taken | undefined> {
    return this.claim(async () => {
      try {
        return this.#takeStatements.take(name, options);
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

/**
 * Puts the next messages of a standard queue in flight, with statements that are prepared once: building and compiling them
 * for each receive would take longer than running them.
 */
class TakeStatements {
  readonly #machine: Machine;
  readonly #queue: StatementSync;
  readonly #next: StatementSync;
  readonly #take: StatementSync;

  /** The tables must exist. */
  constructor(connection: DatabaseSync, machine: Machine) {
    this.#machine = machine;
    this.#queue = connection.prepare('select * from queue where name = ?');
    this.#next = connection.prepare(
      'select id from message where queue_id = ? and visible_at <= ? order by visible_at, id limit ?',
    );
    this.#take = connection.prepare(
      'update message set receipt = ?, receive_count = receive_count + 1, visible_at = ? where id in (select value from json_each(?)) returning *',
    );
  }

  /**
   * Takes up to `max` messages; those that have been receivable the longest come first. Call it in a transaction. Undefined if
   * there are none, the queue does not exist, or the signal is aborted.
   */
  take(name: string, { max, visibilityTimeout, signal }: ReceiveOptions): Taken | undefined {
    // The signal may have been aborted while the transaction waited to start.
    if (signal?.aborted) return undefined;
    const queue = this.#queue.get(name) as QueueRow | undefined;
    if (!queue) return undefined;
    const now = this.#machine.wallClock();
    const next = this.#next.all(queue.id, now, max).map(({ id }) => Number(id));
    if (next.length === 0) return undefined;
    const receipt = newReceipt(this.#machine);
    const visibleAt = now + 1000 * (visibilityTimeout ?? queue.visibility_timeout);
    const rows = this.#take.all(receipt, visibleAt, JSON.stringify(next)) as unknown as MessageRow[];
    rows.sort((one, other) => next.indexOf(one.id) - next.indexOf(other.id));
    return { queue: { ...queue, now }, rows, receipt };
  }
}
