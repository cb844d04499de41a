/** Takes messages in: those that are sent, each deduplication id once in five minutes, and dead letters. */
import { randomUUID } from 'node:crypto';
import type { Insertable, Kysely } from 'kysely';
import type { OutgoingMessage, SendResult } from '../broker.ts';
import { isFifoName } from '../queue-name.ts';
import { DEDUPLICATION_MS, deduplicationId, sequenceNumber } from '../sqs-rules.ts';
import { formatAttributes } from './message-row.ts';
import type { DeduplicationTable, MessageTable, QueueRow, Tables } from './schema.ts';

type NewMessage = Omit<Insertable<MessageTable>, 'id' | 'queue_id'>;

/** How many old deduplication ids a request forgets. */
const FORGOTTEN_AT_ONCE = 100;

/** Sends messages that were found to be good to a queue; a result for each, in order. */
export async function sendMessages(
  tables: Kysely<Tables>,
  queue: QueueRow,
  messages: readonly OutgoingMessage[],
  now: number,
): Promise<SendResult[]> {
  if (isFifoName(queue.name)) return sendOnce(tables, queue, messages, now);
  const rows = messages.map((message) => newMessage(queue, message, now));
  await insertMessages(tables, queue, rows);
  return rows.map(({ message_id }) => ({ ok: true, messageId: message_id }));
}

/** Sends those whose deduplication id is new; for the others, the result is that of the first. */
async function sendOnce(
  tables: Kysely<Tables>,
  queue: QueueRow,
  messages: readonly OutgoingMessage[],
  now: number,
): Promise<SendResult[]> {
  const ids = messages.map(deduplicationId);
  const results = await rememberedResults(tables, queue, ids, now);
  const rows = messages
    .map((message, index) => ({ ...newMessage(queue, message, now), deduplication_id: ids[index]! }))
    .filter(({ deduplication_id: id }, index) => !results.has(id) && ids.indexOf(id) === index);
  if (rows.length > 0) {
    const numbers = await insertMessages(tables, queue, rows);
    const sent = rows.map(({ message_id, deduplication_id }) => ({
      queue_id: queue.id,
      deduplication_id,
      message_id,
      message_number: numbers.get(message_id)!,
      remembered_until: now + DEDUPLICATION_MS,
    }));
    await remember(tables, sent, now);
    for (const one of sent) results.set(one.deduplication_id, sentResult(one));
  }
  return ids.map((id) => results.get(id)!);
}

/** What was sent with these deduplication ids before. */
async function rememberedResults(
  tables: Kysely<Tables>,
  queue: QueueRow,
  ids: readonly string[],
  now: number,
): Promise<Map<string, SendResult>> {
  const rows = await tables
    .selectFrom('deduplication')
    .select(['deduplication_id', 'message_id', 'message_number'])
    .where('queue_id', '=', queue.id)
    .where('deduplication_id', 'in', ids)
    .where('remembered_until', '>', now)
    .execute();
  return new Map(rows.map((row) => [row.deduplication_id, sentResult(row)]));
}

/** Remembers what was sent, and forgets some of what is old: more than comes in, and not so much that it takes long. */
async function remember(
  tables: Kysely<Tables>,
  sent: Insertable<DeduplicationTable>[],
  now: number,
): Promise<void> {
  await tables
    .deleteFrom('deduplication')
    .where('id', 'in', ({ selectFrom }) =>
      selectFrom('deduplication').select('id').where('remembered_until', '<=', now).limit(FORGOTTEN_AT_ONCE),
    )
    .execute();
  await tables
    .insertInto('deduplication')
    .values(sent)
    .onConflict((conflict) =>
      conflict.columns(['queue_id', 'deduplication_id']).doUpdateSet(({ ref }) => ({
        message_id: ref('excluded.message_id'),
        message_number: ref('excluded.message_number'),
        remembered_until: ref('excluded.remembered_until'),
      })),
    )
    .execute();
}

/** Puts messages at the end of a queue. Their numbers, by message id. */
export async function insertMessages(
  tables: Kysely<Tables>,
  queue: QueueRow,
  messages: readonly NewMessage[],
): Promise<Map<string, number>> {
  const inserted = await tables
    .insertInto('message')
    .values(messages.map((message) => ({ ...message, queue_id: queue.id })))
    .returning(['id', 'message_id'])
    .execute();
  if (isFifoName(queue.name)) {
    // The row of a group that has messages already says when these can be received.
    await tables
      .insertInto('message_group')
      .values(
        messages.map(({ group_id, visible_at }) => ({
          queue_id: queue.id,
          group_id: group_id!,
          visible_at,
        })),
      )
      .onConflict((conflict) => conflict.columns(['queue_id', 'group_id']).doNothing())
      .execute();
  }
  return new Map(inserted.map(({ id, message_id }) => [message_id, id]));
}

function sentResult(sent: Pick<DeduplicationTable, 'message_id' | 'message_number'>): SendResult {
  return { ok: true, messageId: sent.message_id, sequenceNumber: sequenceNumber(sent.message_number) };
}

function newMessage(
  queue: QueueRow,
  { body, attributes, groupId, deduplicationId, delaySeconds = queue.delay_seconds }: OutgoingMessage,
  now: number,
) {
  return {
    message_id: randomUUID(),
    body: Buffer.from(body),
    attributes: formatAttributes(attributes),
    group_id: groupId ?? null,
    deduplication_id: deduplicationId ?? null,
    sent_at: now,
    visible_at: now + delaySeconds * 1000,
    receive_count: 0,
    receipt: null,
  };
}
