/** Puts the messages of a standard queue that come next in flight, in one round trip to the server. */
import { type Kysely, sql } from 'kysely';
import type { ReceiveOptions } from '../../broker.ts';
import type { SqlDialect } from '../database.ts';
import { type QueueNow, selectQueue } from '../queue-row.ts';
import type { MessageRow, QueueRow, Tables } from '../schema.ts';
import { Statement } from '../statement.ts';
import { newReceipt, type Taken } from '../taking.ts';

/** A message that was taken, with what was read of its queue. */
interface TakenRow
  extends MessageRow,
    Omit<QueueNow, 'id' | 'name' | 'delay_seconds' | 'content_based_deduplication'> {
  readonly visible_since: number;
}

interface Wanted {
  readonly name: string;
  readonly max: number;
  readonly receipt: string;
  /** Null: the queue's own. */
  readonly visibilityTimeout: number | null;
}

const taking = new Statement<Wanted, TakenRow>((tables, { name, max, receipt, visibilityTimeout }, dialect) =>
  tables
    .with('source', (db) => selectQueue(db, name, dialect).select(dialect.relaxed.as('relaxed')))
    // Found before all else: within the join they might be looked for several times, and found to be others.
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
 * Takes up to `max` messages, those first that could be received the longest. Undefined if there are none, or no such
 * queue. Messages that others are taking are passed over.
 */
export async function takeAtOnce(
  tables: Kysely<Tables>,
  queue: QueueRow,
  { max, visibilityTimeout }: ReceiveOptions,
  dialect: SqlDialect,
): Promise<Taken | undefined> {
  const receipt = newReceipt();
  const wanted = { name: queue.name, max, receipt, visibilityTimeout: visibilityTimeout ?? null };
  const taken = await taking.run(tables, wanted, dialect);
  const [first] = taken;
  if (!first) return undefined;
  const { now, visibility_timeout, retention_seconds, dead_letter_queue, max_receives } = first;
  return {
    queue: { ...queue, now, visibility_timeout, retention_seconds, dead_letter_queue, max_receives },
    rows: taken.sort((one, other) => one.visible_since - other.visible_since || one.id - other.id),
    receipt,
  };
}
