/**
 * One attempt to receive: puts the next messages in flight, deletes those that have expired, and moves those that were
 * received too many times to the dead-letter queue.
 */
import type { Kysely } from 'kysely';
import type { Message, ReceiveOptions } from '../broker.ts';
import { parseAttributes } from '../rules/messages.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { receiptHandle } from '../rules/receipt-handle.ts';
import { sequenceNumber } from '../rules/sqs-rules.ts';
import { type Database, newReceipt, type QueueNow, selectQueue, type Taken } from './database.ts';
import { type Receivable, removeDead } from './dead-letters.ts';
import { firstOfGroups, refreshGroups } from './groups.ts';
import type { MessageRow, QueueRow, Tables } from './schema.ts';

export interface Claim {
  readonly messages: Message[];
  /** True if no message was taken. If false and `messages` is empty, all were removed, and there may be more. */
  readonly isEmpty: boolean;
  /** The queue's current state; undefined if unknown, because the queue is empty or does not exist. */
  readonly queue?: QueueNow;
  /** The dead-letter queue, if it got any messages. */
  readonly deadLetterQueue?: string | undefined;
}

const NOTHING: Claim = { messages: [], isEmpty: true };

/** Claims up to `max` messages that can be received now. */
export async function claim(database: Database, row: QueueRow, options: ReceiveOptions): Promise<Claim> {
  if (isFifoName(row.name)) {
    return database.claim((tables) => claimOfGroups(tables, database, row, options));
  }
  const taken = await database.take(row, options);
  if (!taken) return NOTHING;
  // In a separate transaction, because few messages need to be removed.
  return claimOf(taken, await removeDead(taken, database.dialect, (work) => database.change(work)));
}

/** Claims messages from a FIFO queue, in one transaction. */
async function claimOfGroups(
  tables: Kysely<Tables>,
  { dialect, machine }: Database,
  { name }: QueueRow,
  options: ReceiveOptions,
): Promise<Claim> {
  const queue = await selectQueue(tables, name, dialect)
    .select(dialect.relaxed.as('relaxed'))
    .executeTakeFirst();
  // The signal may have been aborted while the transaction waited to start.
  if (!queue || options.signal?.aborted) return NOTHING;
  const taken = await takeOfGroups(tables, queue, options, newReceipt(machine));
  if (!taken) return NOTHING;
  const receivable = await removeDead(taken, dialect, (work) => work(tables));
  const groupIds = taken.rows.map(({ group_id }) => group_id);
  await refreshGroups(tables, queue, groupIds);
  return claimOf(taken, receivable);
}

function claimOf({ queue, receipt }: Taken, { received, deadLetterQueue }: Receivable): Claim {
  const messages = received.map((row) => receivedMessage(queue, row, receipt));
  return { messages, isEmpty: false, queue, deadLetterQueue };
}

/**
 * Takes up to `max` messages from a FIFO queue, with the token `receipt`, and locks their groups, in a transaction. Undefined
 * if there are none.
 */
async function takeOfGroups(
  tables: Kysely<Tables>,
  queue: QueueNow,
  { max, visibilityTimeout = queue.visibility_timeout }: ReceiveOptions,
  receipt: string,
): Promise<Taken | undefined> {
  const numbers = await firstOfGroups(tables, queue, max);
  if (numbers.length === 0) return undefined;
  const rows = await tables
    .updateTable('message')
    .set((row) => ({
      receipt,
      receive_count: row('receive_count', '+', 1),
      visible_at: queue.now + visibilityTimeout * 1000,
    }))
    .where('id', 'in', numbers)
    .returningAll()
    .execute();
  return {
    queue,
    rows: rows.sort((one, other) => numbers.indexOf(one.id) - numbers.indexOf(other.id)),
    receipt,
  };
}

/** Converts the row of a message that was put in flight with the token `receipt`. */
export function receivedMessage(queue: QueueRow, row: MessageRow, receipt: string): Message {
  return {
    id: row.message_id,
    body: Buffer.from(row.body.buffer, row.body.byteOffset, row.body.byteLength).toString(),
    receiptHandle: receiptHandle({ number: row.id, token: receipt }),
    receiveCount: row.receive_count,
    attributes: parseAttributes(row.attributes),
    sentAt: row.sent_at,
    ...(row.group_id !== null && { groupId: row.group_id }),
    ...(row.deduplication_id !== null && { deduplicationId: row.deduplication_id }),
    ...(isFifoName(queue.name) && { sequenceNumber: sequenceNumber(row.id) }),
  };
}
