/**
 * Takes messages out of a queue for one receive, in one round: puts the next in flight, then deletes those that are kept no
 * longer and moves those that were received too often.
 */
import type { Kysely } from 'kysely';
import type { Message, ReceiveOptions } from '../broker.ts';
import { parseAttributes } from '../rules/messages.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { receiptHandle } from '../rules/receipt-handle.ts';
import { sequenceNumber } from '../rules/sqs-rules.ts';
import {
  type Database,
  newReceipt,
  type QueueNow,
  type SqlDialect,
  selectQueue,
  type Taken,
} from './database.ts';
import { type Receivable, removeDead } from './dead-letters.ts';
import { firstOfGroups, refreshGroups } from './groups.ts';
import type { MessageRow, QueueRow, Tables } from './schema.ts';

export interface Claim {
  readonly messages: Message[];
  /** Whether there was none to look at. Otherwise, `messages` may be empty though there are more: when all had to go. */
  readonly isEmpty: boolean;
  /** The queue as it was found; undefined if that is not known, for it was empty or does not exist. */
  readonly queue?: QueueNow;
  /** The dead-letter queue that got some. */
  readonly deadLetterQueue?: string | undefined;
}

const NOTHING: Claim = { messages: [], isEmpty: true };

/** Claims up to `max` of the messages that can be received now. */
export async function claim(database: Database, row: QueueRow, options: ReceiveOptions): Promise<Claim> {
  if (isFifoName(row.name)) {
    return database.claim((tables) => claimOfGroups(tables, database.dialect, row, options));
  }
  const taken = await database.take(row, options);
  if (!taken) return NOTHING;
  // Not in the same transaction: few messages have to go.
  return claimOf(taken, await removeDead(taken, database.dialect, (work) => database.change(work)));
}

/** Claims messages of a FIFO queue, in one transaction. */
async function claimOfGroups(
  tables: Kysely<Tables>,
  dialect: SqlDialect,
  { name }: QueueRow,
  options: ReceiveOptions,
): Promise<Claim> {
  const queue = await selectQueue(tables, name, dialect)
    .select(dialect.relaxed.as('relaxed'))
    .executeTakeFirst();
  // The transaction may have been waited for.
  if (!queue || options.signal?.aborted) return NOTHING;
  const taken = await takeOfGroups(tables, queue, options);
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

/** Takes up to `max` messages of a FIFO queue, in a transaction that locks their groups. Undefined if there are none. */
export async function takeOfGroups(
  tables: Kysely<Tables>,
  queue: QueueNow,
  { max, visibilityTimeout = queue.visibility_timeout }: ReceiveOptions,
): Promise<Taken | undefined> {
  const numbers = await firstOfGroups(tables, queue, max);
  if (numbers.length === 0) return undefined;
  const receipt = newReceipt();
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

/** The message of a row that was put in flight with the token `receipt`. */
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
