/** Takes messages in: those that are sent, and dead letters. */
import { randomUUID } from 'node:crypto';
import { type Insertable, type Kysely, sql } from 'kysely';
import type { OutgoingMessage, SendResult } from '../broker.ts';
import { formatAttributes } from '../rules/attributes-text.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { deduplicationId } from '../rules/sqs-rules.ts';
import type { SqlDialect } from './database.ts';
import { type Numbered, rememberNew, rememberNumbers, sentBefore, sentResult } from './deduplication.ts';
import { openGroups } from './groups.ts';
import { type QueueNow, selectQueue } from './queue-row.ts';
import type { MessageTable, QueueRow, Tables } from './schema.ts';
import { type Placeholders, Statement } from './statement.ts';

type NewMessage = Omit<Insertable<MessageTable>, 'id' | 'queue_id'>;

/** The columns of new messages; those of a message have the same index in each. */
interface NewMessages {
  readonly name: string;
  readonly ids: readonly string[];
  readonly bodies: readonly Uint8Array[];
  readonly attributes: readonly (string | null)[];
  readonly groupIds: readonly (string | null)[];
  readonly deduplicationIds: readonly (string | null)[];
  readonly delays: readonly (number | null)[];
}

const insertion = new Statement((tables, placeholders: Placeholders<NewMessages>, dialect) => {
  const { name, ids, bodies, attributes, groupIds, deduplicationIds, delays } = placeholders;
  const rows = ids.map(
    (id, index) =>
      sql`(cast(${id} as text), cast(${bodies[index]} as ${dialect.bytes}), cast(${attributes[index]} as text), cast(${groupIds[index]} as text), cast(${deduplicationIds[index]} as text), cast(${delays[index]} as integer))`,
  );
  return tables
    .with(
      (target) => target('target').materialized(),
      (db) => selectQueue(db, name, dialect),
    )
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
      sql`select target.id, now, now + 1000 * coalesce(column6, delay_seconds), 0, column1, column2, column3, column4, column5 from target, (values ${sql.join(rows)}) as sent`,
    )
    .returning(dialect.announcement(name).as('announced'));
});

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
  const values = {
    name,
    ids,
    bodies: messages.map(({ body }) => Buffer.from(body)),
    attributes: messages.map(({ attributes }) => formatAttributes(attributes)),
    groupIds: messages.map(({ groupId }) => groupId ?? null),
    deduplicationIds: messages.map(({ deduplicationId }) => deduplicationId ?? null),
    delays: messages.map(({ delaySeconds }) => delaySeconds ?? null),
  };
  const sent = await insertion.run(tables, values, dialect);
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
