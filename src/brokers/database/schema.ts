/** The tables of the queues. Times are milliseconds since the epoch; settings of queues are in seconds. */
import type { Generated, Kysely, Selectable } from 'kysely';

export interface QueueTable {
  id: Generated<number>;
  name: string;
  visibility_timeout: number;
  delay_seconds: number;
  retention_seconds: number | null;
  /** A name, for that queue may be removed and made again. */
  dead_letter_queue: string | null;
  max_receives: number | null;
  /** 0 or 1. */
  content_based_deduplication: number;
}

export interface MessageTable {
  /** Never used twice, so that a receipt handle never means another message. */
  id: Generated<number>;
  queue_id: number;
  message_id: string;
  /** In UTF-8. Not as text: Postgres takes none with U+0000 in it, and Node 24.15 reads such text cut off. */
  body: Uint8Array;
  /** As JSON (`attributes.ts`). */
  attributes: string | null;
  group_id: string | null;
  deduplication_id: string | null;
  sent_at: number;
  /** From when the message can be received. Later than now: in flight with a receipt, delayed without. */
  visible_at: number;
  receive_count: number;
  /** The token of the receive that handed it out last. */
  receipt: string | null;
}

/** The message groups of FIFO queues that have messages: what to receive next is found by group, not by message. */
export interface MessageGroupTable {
  id: Generated<number>;
  queue_id: number;
  group_id: string;
  /** From when messages of the group can be received (`groups.ts`). */
  visible_at: number;
}

/** What was sent with each deduplication id of the last five minutes (some older ones are left, too). */
export interface DeduplicationTable {
  id: Generated<number>;
  queue_id: number;
  deduplication_id: string;
  message_id: string;
  message_number: number;
  remembered_until: number;
}

export interface Tables {
  queue: QueueTable;
  message: MessageTable;
  message_group: MessageGroupTable;
  deduplication: DeduplicationTable;
}

export type QueueRow = Selectable<QueueTable>;
export type MessageRow = Selectable<MessageTable>;

/** Makes the tables in a database that has none. */
export async function createTables({ schema }: Kysely<Tables>): Promise<void> {
  await schema
    .createTable('queue')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('visibility_timeout', 'integer', (column) => column.notNull())
    .addColumn('delay_seconds', 'integer', (column) => column.notNull())
    .addColumn('retention_seconds', 'integer')
    .addColumn('dead_letter_queue', 'text')
    .addColumn('max_receives', 'integer')
    .addColumn('content_based_deduplication', 'integer', (column) => column.notNull())
    .execute();
  await schema
    .createTable('message')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('queue_id', 'integer', (column) => column.notNull())
    .addColumn('message_id', 'text', (column) => column.notNull())
    .addColumn('body', 'blob', (column) => column.notNull())
    .addColumn('attributes', 'text')
    .addColumn('group_id', 'text')
    .addColumn('deduplication_id', 'text')
    .addColumn('sent_at', 'integer', (column) => column.notNull())
    .addColumn('visible_at', 'integer', (column) => column.notNull())
    .addColumn('receive_count', 'integer', (column) => column.notNull())
    .addColumn('receipt', 'text')
    .execute();
  await schema
    .createIndex('message_by_visibility')
    .on('message')
    .columns(['queue_id', 'visible_at', 'id'])
    .execute();
  await schema
    .createIndex('message_by_group')
    .on('message')
    .columns(['queue_id', 'group_id', 'id'])
    .where('group_id', 'is not', null)
    .execute();
  await schema
    .createTable('message_group')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('queue_id', 'integer', (column) => column.notNull())
    .addColumn('group_id', 'text', (column) => column.notNull())
    .addColumn('visible_at', 'integer', (column) => column.notNull())
    .addUniqueConstraint('message_group_once', ['queue_id', 'group_id'])
    .execute();
  await schema
    .createIndex('message_group_by_visibility')
    .on('message_group')
    .columns(['queue_id', 'visible_at', 'id'])
    .execute();
  await schema
    .createTable('deduplication')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('queue_id', 'integer', (column) => column.notNull())
    .addColumn('deduplication_id', 'text', (column) => column.notNull())
    .addColumn('message_id', 'text', (column) => column.notNull())
    .addColumn('message_number', 'integer', (column) => column.notNull())
    .addColumn('remembered_until', 'integer', (column) => column.notNull())
    .addUniqueConstraint('deduplication_once', ['queue_id', 'deduplication_id'])
    .execute();
  await schema.createIndex('deduplication_by_age').on('deduplication').column('remembered_until').execute();
}
