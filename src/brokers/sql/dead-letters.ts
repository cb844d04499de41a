/** Removes messages that must not be received: deletes expired messages, and moves dead letters. */
import type { Kysely } from 'kysely';
import { standing } from '../rules/sqs-rules.ts';
import type { QueueNow, SqlDialect, Taken } from './database.ts';
import type { MessageRow, QueueRow, Tables } from './schema.ts';
import { insertMessages } from './send.ts';

export interface Receivable {
  /** The messages that can be received, in order. */
  readonly received: readonly MessageRow[];
  /** The dead-letter queue, if it got any messages. */
  readonly deadLetterQueue?: string | undefined;
}

/** Removes messages that were taken but must not be received. Runs `transaction` only if there are any. */
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

/** Undefined if the dead-letter queue was removed: then messages are received without a limit. */
function deadLetterQueueOf(tables: Kysely<Tables>, queue: QueueRow): Promise<QueueRow | undefined> {
  return tables
    .selectFrom('queue')
    .selectAll()
    .where('name', '=', queue.dead_letter_queue)
    .executeTakeFirst();
}

/** Deletes messages, except those that another receive has taken in the meantime. Returns the deleted numbers. */
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

/** A message for the dead-letter queue: as originally sent, and not received yet. */
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
