/** Takes messages out of a queue for one receive: one round, in one transaction. */
import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Message, ReceiveOptions } from '../broker.ts';
import { isFifoName } from '../queue-name.ts';
import { standing } from '../sqs-rules.ts';
import { firstOfGroups, refreshGroups } from './groups.ts';
import { receivedMessage } from './message-row.ts';
import type { MessageRow, QueueRow, Tables } from './schema.ts';
import { insertMessages } from './sending.ts';

export interface Claim {
  /** May be empty though there are messages left: when all that were looked at had to go. */
  readonly messages: Message[];
  /** The dead-letter queue that got some. */
  readonly deadLetterQueue?: string;
}

/**
 * Looks at the next `max` messages: removes those that are kept no longer, moves those that were received too often to
 * the dead-letter queue, and puts the others in flight.
 */
export async function claim(
  tables: Kysely<Tables>,
  queue: QueueRow,
  { max, visibilityTimeout = queue.visibility_timeout }: ReceiveOptions,
  now: number,
): Promise<Claim> {
  const fifo = isFifoName(queue.name);
  const candidates = await (fifo ? firstOfGroups : firstVisible)(tables, queue.id, max, now);
  const {
    receivable = [],
    expired = [],
    exhausted = [],
  } = Object.groupBy(candidates, (row) => standingOf(queue, row, now));
  const deadLetterQueue = exhausted.length > 0 ? await deadLetterQueueOf(tables, queue) : undefined;
  const taken = deadLetterQueue ? receivable : candidates.filter((row) => !expired.includes(row));

  const receipt = randomBytes(8).toString('hex');
  if (taken.length > 0) {
    await tables
      .updateTable('message')
      .set((row) => ({
        receipt,
        visible_at: now + visibilityTimeout * 1000,
        receive_count: row('receive_count', '+', 1),
      }))
      .where('id', 'in', idsOf(taken))
      .execute();
  }
  const gone = candidates.filter((row) => !taken.includes(row));
  if (gone.length > 0) await tables.deleteFrom('message').where('id', 'in', idsOf(gone)).execute();
  if (deadLetterQueue)
    await insertMessages(
      tables,
      deadLetterQueue,
      exhausted.map((row) => deadLetter(row, now)),
    );
  if (fifo)
    await refreshGroups(
      tables,
      queue.id,
      candidates.map(({ group_id }) => group_id),
      now,
    );

  const messages = taken.map((row) => receivedMessage(queue, row, receipt));
  return { messages, ...(deadLetterQueue && { deadLetterQueue: deadLetterQueue.name }) };
}

function firstVisible(
  tables: Kysely<Tables>,
  queueId: number,
  max: number,
  now: number,
): Promise<MessageRow[]> {
  return tables
    .selectFrom('message')
    .selectAll()
    .where('queue_id', '=', queueId)
    .where('visible_at', '<=', now)
    .orderBy('visible_at')
    .orderBy('id')
    .limit(max)
    .execute();
}

function standingOf(queue: QueueRow, { sent_at, receive_count }: MessageRow, now: number) {
  return standing(
    { sentAt: sent_at, receiveCount: receive_count },
    { retentionSeconds: queue.retention_seconds ?? undefined, maxReceives: queue.max_receives ?? undefined },
    now,
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

/** A message as it comes to a dead-letter queue: as it was sent, and not received yet. */
function deadLetter({ id: _, ...row }: MessageRow, now: number) {
  return { ...row, visible_at: now, receive_count: 0, receipt: null };
}

function idsOf(rows: readonly MessageRow[]): number[] {
  return rows.map(({ id }) => id);
}
