/** A Postgres database as a Database: statements, transactions with retries, receives, and a watch for other processes. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { realMachine } from '../../../host/host.ts';
import type { ReceiveOptions } from '../../broker.ts';
import {
  type Database,
  InFlightCalls,
  newReceipt,
  type QueueNow,
  type SqlDialect,
  selectQueue,
  type Taken,
} from '../database.ts';
import type { MessageRow, QueueRow, Tables } from '../schema.ts';
import { Statement } from '../statement.ts';
import { isConflict } from './failures.ts';
import type { NotificationWatch } from './watch.ts';

/** How many times to try a transaction that keeps conflicting with others. */
const TRIES = 5;

export class PostgresDatabase implements Database {
  readonly description: string;
  readonly dialect: SqlDialect;
  readonly machine = realMachine;
  readonly #tables: Kysely<Tables>;
  readonly #watch: NotificationWatch;
  readonly #calls = new InFlightCalls();

  /** `schema` contains the tables, and is also the channel of the watch. */
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

  take(queue: QueueRow, options: ReceiveOptions): Promise<Taken | undefined> {
    return this.changeAtOnce((tables) => takeMessages(tables, queue, options, this));
  }

  watch(changed: (queue?: string) => void): () => void {
    return this.#watch.watch(changed);
  }

  async close(): Promise<void> {
    await this.#calls.ended();
    await Promise.all([this.#watch.close(), this.#tables.destroy()]);
  }
}

/** Retries on conflict: the server aborts one of two deadlocked transactions, which changed nothing and can run again. */
async function untilItEnds<Result>(change: () => Promise<Result>): Promise<Result> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await change();
    } catch (error) {
      if (left === 0 || !isConflict(error)) throw error;
    }
  }
}

/** A message that was taken, with its queue's columns. */
interface TakenRow
  extends MessageRow,
    Omit<QueueNow, 'id' | 'name' | 'delay_seconds' | 'content_based_deduplication'> {
  readonly visible_since: number;
}

interface Wanted {
  readonly name: string;
  readonly max: number;
  readonly receipt: string;
  /** Null: the queue's visibility timeout. */
  readonly visibilityTimeout: number | null;
}

const take = new Statement<Wanted, TakenRow>((tables, { name, max, receipt, visibilityTimeout }, dialect) =>
  tables
    .with('source', (db) => selectQueue(db, name, dialect).select(dialect.relaxed.as('relaxed')))
    // In a separate CTE: inside the join, Postgres might run the search several times and find different messages.
    .with(
      (candidate) => candidate('candidate').materialized(),
      (db) =>
        db
          .selectFrom('message')
          .select(['id', 'visible_at as visible_since'])
          .where('queue_id', '=', ({ selectFrom }) => selectFrom('source').select('source.id'))
          .where('visible_at', '<=', ({ selectFrom }) => selectFrom('source').select('source.now'))
          .orderBy('visible_at')
          .orderBy('id')
          .limit(max)
          .forUpdate()
          .skipLocked(),
    )
    .updateTable('message')
    .from(['source', 'candidate'])
    .set((row) => ({
      receipt,
      receive_count: row('receive_count', '+', 1),
      visible_at: sql<number>`source.now + 1000 * coalesce(cast(${visibilityTimeout} as integer), source.visibility_timeout)`,
    }))
    .whereRef('message.id', '=', 'candidate.id')
    .returningAll('message')
    .returning([
      'visible_since',
      'source.now',
      'source.visibility_timeout',
      'source.retention_seconds',
      'source.dead_letter_queue',
      'source.max_receives',
    ]),
);

/**
 * Takes up to `max` messages; those that have been receivable the longest come first. Skips messages that other receives are
 * taking. Undefined if there are none, or the queue does not exist.
 */
async function takeMessages(
  tables: Kysely<Tables>,
  queue: QueueRow,
  { max, visibilityTimeout }: ReceiveOptions,
  { dialect, machine }: Database,
): Promise<Taken | undefined> {
  const receipt = newReceipt(machine);
  const wanted = { name: queue.name, max, receipt, visibilityTimeout: visibilityTimeout ?? null };
  const taken = await take.run(tables, wanted, dialect);
  const [first] = taken;
  if (!first) return undefined;
  const { now, visibility_timeout, retention_seconds, dead_letter_queue, max_receives } = first;
  return {
    queue: { ...queue, now, visibility_timeout, retention_seconds, dead_letter_queue, max_receives },
    rows: taken.sort((one, other) => one.visible_since - other.visible_since || one.id - other.id),
    receipt,
  };
}
