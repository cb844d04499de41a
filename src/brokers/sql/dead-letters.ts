/** Removes messages that nobody is to receive: deletes those that are kept no longer, and moves dead letters. */
import type { Kysely } from 'kysely';
import { standing } from '../rules/sqs-rules.ts';
import type { QueueNow, SqlDialect, Taken } from './database.ts';
import type { MessageRow, QueueRow, Tables } from './schema.ts';
import { insertMessages } from './send.ts';

export interface Receivable {
  /** Those that are left, in order. */
  readonly received: readonly MessageRow[];
  /** The dead-letter queue that got some. */
  readonly deadLetterQueue?: string | undefined;
}

/** Removes messages that are in flight and not to be received; `transaction` runs what it takes, if there is anything to do. */
export async function removeDead(
  taken: Taken,
  dialect: SqlDialect,
  transaction: (work: (tables: Kysely<Tables>) => Promise<Receivable>) => Promise<Receivable>,
): Promise<Receivable> {
  const { queue, rows, receipt } = taken;
  const { expired = [], exhausted = [] } = Object.groupBy(rows, (row) => standingOf(queue, row));
  if (expired.length + exhausted.length === 0) return { received: rows };
  return transaction(async (tables) => {
    const target = exhausted.length > 0 ? await deadLetterQueueOf(tables, queue) : undefined;
    const outgoing = target ? [...expired, ...exhausted] : expired;
    const gone = await deleteTaken(tables, outgoing, receipt);
    const deadLetters = target ? exhausted.filter(({ id }) => gone.has(id)) : [];
    if (target && deadLetters.length > 0) {
      const letters = deadLetters.map((row) => deadLetter(row, queue.now));
      await insertMessages(tables, target, letters, dialect);
    }
    return { received: rows.filter((row) => !outgoing.includes(row)), deadLetterQueue: target?.name };
  });
}

function standingOf(queue: QueueNow, { sent_at, receive_count }: MessageRow) {
  return standing(
    { sentAt: sent_at, receiveCount: receive_count - 1 },
    { retentionSeconds: queue.retention_seconds ?? undefined, maxReceives: queue.max_receives ?? undefined },
    queue.now,
  );
}

/** Undefined if it was removed meanwhile: then messages are received as often as they come. */
function deadLetterQueueOf(tables: Kysely<Tables>, queue: QueueRow): Promise<QueueRow | undefined> {
  return tables
    .selectFrom('queue')
    .selectAll()
    .where('name', '=', queue.dead_letter_queue)
    .executeTakeFirst();
}

/** Deletes messages, but not those that another receive has taken meanwhile. The numbers of those that are gone. */
async function deleteTaken(
  tables: Kysely<Tables>,
  rows: readonly MessageRow[],
  receipt: string,
): Promise<Set<number>> {
  const numbers = rows.map(({ id }) => id);
  if (numbers.length === 0) return new Set();
  const deleted = await tables
    .deleteFrom('message')
    .where('id', 'in', numbers)
    .where('receipt', '=', receipt)
    .returning('id')
    .execute();
  return new Set(deleted.map(({ id }) => id));
}

/** A message as it comes to a dead-letter queue: as it was sent, and not received yet. */
function deadLetter(row: MessageRow, now: number) {
  const { message_id, body, attributes, group_id, deduplication_id, sent_at } = row;
  return {
    message_id,
    body,
    attributes,
    group_id,
    deduplication_id,
    sent_at,
    visible_at: now,
    receive_count: 0,
    receipt: null,
  };
}
