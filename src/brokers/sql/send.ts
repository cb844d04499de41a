/** Sends messages (on FIFO queues, each deduplication id once in five minutes) and inserts dead letters. */
import { type Insertable, type Kysely, sql } from 'kysely';
import type { OutgoingMessage, SendResult } from '../broker.ts';
import { formatAttributes } from '../rules/messages.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { DEDUPLICATION_MS, deduplicationId, sequenceNumber } from '../rules/sqs-rules.ts';
import { type Database, type QueueNow, type SqlDialect, selectQueue } from './database.ts';
import { openGroups } from './groups.ts';
import type { DeduplicationTable, MessageTable, QueueRow, Tables } from './schema.ts';
import { type Placeholders, Statement } from './statement.ts';

type NewMessage = Omit<Insertable<MessageTable>, 'id' | 'queue_id'>;

/** New messages as columns: the same index in each column belongs to one message. */
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
 * Sends valid messages to a standard queue with one statement. Resolves with a result for each, in order, or with undefined
 * if the queue does not exist.
 */
export async function sendToStandard(
  tables: Kysely<Tables>,
  name: string,
  messages: readonly OutgoingMessage[],
  { dialect, machine }: Pick<Database, 'dialect' | 'machine'>,
): Promise<SendResult[] | undefined> {
  const ids = messages.map(() => machine.uuid());
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
 * Sends valid messages to a FIFO queue if their deduplication ids are new. A duplicate gets the result of the first message
 * with its id.
 */
export async function sendToFifo(
  tables: Kysely<Tables>,
  queue: QueueNow,
  messages: readonly OutgoingMessage[],
  { dialect, machine }: Pick<Database, 'dialect' | 'machine'>,
): Promise<SendResult[]> {
  const ids = messages.map(deduplicationId);
  const rows = messages
    .map((message, index) => newMessage(queue, message, ids[index]!, machine.uuid()))
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

/** Appends messages to a queue. Resolves with their numbers by message id. */
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
  messageId: string,
) {
  return {
    message_id: messageId,
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

/** The stored data of a message for deduplication. */
type Numbered = Pick<DeduplicationTable, 'deduplication_id' | 'message_id' | 'message_number'>;

/** How many old deduplication ids a request deletes: more than it adds, but few enough to be fast. */
const FORGOTTEN_AT_ONCE = 100;
/** Placeholder for a message that has no number yet. */
const NO_NUMBER = 0;

/**
 * Stores the ids that are new, and returns them. If another transaction is storing the same id, waits until that one has
 * finished.
 */
async function rememberNew(
  tables: Kysely<Tables>,
  queue: QueueNow,
  messages: readonly Omit<Numbered, 'message_number'>[],
): Promise<Set<string>> {
  await forgetOld(tables, queue);
  const remembered = await tables
    .insertInto('deduplication')
    .values(
      messages
        .map(({ deduplication_id, message_id }) => ({
          queue_id: queue.id,
          deduplication_id,
          message_id,
          message_number: NO_NUMBER,
          remembered_until: queue.now + DEDUPLICATION_MS,
        }))
        // Every transaction inserts in the same order to prevent deadlocks.
        .sort((one, other) => (one.deduplication_id < other.deduplication_id ? -1 : 1)),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['queue_id', 'deduplication_id'])
        .doUpdateSet(({ ref }) => ({
          message_id: ref('excluded.message_id'),
          remembered_until: ref('excluded.remembered_until'),
        }))
        .where('deduplication.remembered_until', '<=', queue.now),
    )
    .returning('deduplication_id')
    .execute();
  return new Set(remembered.map(({ deduplication_id }) => deduplication_id));
}

/** Adds the numbers of the new messages. */
async function rememberNumbers(
  tables: Kysely<Tables>,
  queue: QueueNow,
  messages: readonly Numbered[],
): Promise<void> {
  await tables
    .insertInto('deduplication')
    .values(
      messages.map((message) => ({
        ...message,
        queue_id: queue.id,
        remembered_until: queue.now + DEDUPLICATION_MS,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['queue_id', 'deduplication_id'])
        .doUpdateSet(({ ref }) => ({ message_number: ref('excluded.message_number') })),
    )
    .execute();
}

/** The results of earlier messages with these ids, by id. */
async function sentBefore(
  tables: Kysely<Tables>,
  queue: QueueNow,
  ids: readonly string[],
): Promise<Map<string, SendResult>> {
  if (ids.length === 0) return new Map();
  const rows = await tables
    .selectFrom('deduplication')
    .select(['deduplication_id', 'message_id', 'message_number'])
    .where('queue_id', '=', queue.id)
    .where('deduplication_id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.deduplication_id, sentResult(row)]));
}

function sentResult(sent: Omit<Numbered, 'deduplication_id'>): SendResult {
  return { ok: true, messageId: sent.message_id, sequenceNumber: sequenceNumber(sent.message_number) };
}

async function forgetOld(tables: Kysely<Tables>, { now }: QueueNow): Promise<void> {
  await tables
    .deleteFrom('deduplication')
    .where('id', 'in', ({ selectFrom }) =>
      selectFrom('deduplication')
        .select('id')
        .where('remembered_until', '<=', now)
        .limit(FORGOTTEN_AT_ONCE)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
}
