/** Takes messages in: those that are sent, and dead letters. */
import { randomUUID } from 'node:crypto';
import { type Insertable, type Kysely, sql } from 'kysely';
import { formatAttributes } from '../attributes-text.ts';
import type { OutgoingMessage, SendResult } from '../broker.ts';
import { isFifoName } from '../queue-name.ts';
import { deduplicationId } from '../sqs-rules.ts';
import type { SqlDialect } from './database.ts';
import { type Numbered, rememberNew, rememberNumbers, sentBefore, sentResult } from './deduplication.ts';
import { openGroups } from './groups.ts';
import { type QueueNow, selectQueue } from './queue-row.ts';
import type { MessageTable, QueueRow, Tables } from './schema.ts';

type NewMessage = Omit<Insertable<MessageTable>, 'id' | 'queue_id'>;

/**
 * Sends messages that were found to be good to a standard queue, by one statement; a result for each, in order. Undefined
 * if there is no such queue.
 */
export async function sendAtOnce(
  tables: Kysely<Tables>,
  name: string,
  messages: readonly OutgoingMessage[],
  dialect: SqlDialect,
): Promise<SendResult[] | undefined> {
  const ids = messages.map(() => randomUUID());
  const values = messages.map(
    ({ body, attributes, groupId, deduplicationId, delaySeconds }, index) =>
      sql`(cast(${ids[index]} as text), cast(${Buffer.from(body)} as ${dialect.bytes}), cast(${formatAttributes(attributes)} as text), cast(${groupId ?? null} as text), cast(${deduplicationId ?? null} as text), cast(${delaySeconds ?? null} as integer))`,
  );
  const sent = await tables
    .with('target', (db) => selectQueue(db, name, dialect))
    .insertInto('message')
    .columns([
      'queue_id',
      'sent_at',
      'visible_at',
      'receive_count',
      'message_id',
      'body',
      'attributes',
      'group_id',
      'deduplication_id',
    ])
    .expression(
      sql`select target.id, now, now + 1000 * coalesce(column6, delay_seconds), 0, column1, column2, column3, column4, column5 from target, (values ${sql.join(values)}) as sent`,
    )
    .returning(dialect.announcement(name).as('announced'))
    .execute();
  return sent.length > 0 ? ids.map((messageId) => ({ ok: true, messageId })) : undefined;
}

/**
 * Sends messages that were found to be good to a FIFO queue, those whose deduplication id is new; for the others, the
 * result is that of the first.
 */
export async function sendOnce(
  tables: Kysely<Tables>,
  queue: QueueNow,
  messages: readonly OutgoingMessage[],
  dialect: SqlDialect,
): Promise<SendResult[]> {
  const ids = messages.map(deduplicationId);
  const rows = messages
    .map((message, index) => newMessage(queue, message, ids[index]!))
    .filter(({ deduplication_id: id }, index) => ids.indexOf(id) === index);
  const isNew = await rememberNew(tables, queue, rows);
  const results = await sentBefore(
    tables,
    queue,
    ids.filter((id) => !isNew.has(id)),
  );
  const newRows = rows.filter(({ deduplication_id }) => isNew.has(deduplication_id));
  if (newRows.length > 0) {
    const numbers = await insertMessages(tables, queue, newRows, dialect);
    const sent = newRows.map(
      ({ deduplication_id, message_id }): Numbered => ({
        deduplication_id,
        message_id,
        message_number: numbers.get(message_id)!,
      }),
    );
    await rememberNumbers(tables, queue, sent);
    for (const one of sent) results.set(one.deduplication_id, sentResult(one));
  }
  return ids.map((id) => results.get(id)!);
}

/** Puts messages at the end of a queue. Their numbers, by message id. */
export async function insertMessages(
  tables: Kysely<Tables>,
  queue: QueueRow,
  messages: readonly NewMessage[],
  dialect: SqlDialect,
): Promise<Map<string, number>> {
  if (isFifoName(queue.name)) {
    await openGroups(
      tables,
      queue,
      messages.map(({ group_id, visible_at }) => ({ groupId: group_id!, visibleAt: visible_at })),
    );
  }
  const inserted = await tables
    .insertInto('message')
    .values(messages.map((message) => ({ ...message, queue_id: queue.id })))
    .returning(['id', 'message_id', dialect.announcement(queue.name).as('announced')])
    .execute();
  return new Map(inserted.map(({ id, message_id }) => [message_id, id]));
}

function newMessage(
  queue: QueueNow,
  { body, attributes, groupId, delaySeconds = queue.delay_seconds }: OutgoingMessage,
  id: string,
) {
  return {
    message_id: randomUUID(),
    body: Buffer.from(body),
    attributes: formatAttributes(attributes),
    group_id: groupId!,
    deduplication_id: id,
    sent_at: queue.now,
    visible_at: queue.now + delaySeconds * 1000,
    receive_count: 0,
    receipt: null,
  };
}
