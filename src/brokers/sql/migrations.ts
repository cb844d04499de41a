/** Creates the queue tables, and migrates those of older releases: the same steps for each database. */
import { type ColumnDefinitionBuilder, type Expression, type Kysely, type SchemaModule, sql } from 'kysely';
import { BrokerError } from '../errors.ts';
import type { Tables } from './schema.ts';

/** Column types and table options, as each database writes them. */
export interface ColumnTypes {
  readonly integer: 'integer' | 'bigint';
  readonly bytes: 'blob' | 'bytea';
  /** Text that compares byte by byte. */
  readonly text: Expression<unknown>;
  /** Turns an integer column into a primary key whose values increase and are never reused. */
  key(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;
  /** Options at the end of the definition of a table whose rows change often. */
  readonly oftenChanged: Expression<unknown>;
}

/** The migrations to each version, starting with version 1. Never change one after its release. */
const MIGRATIONS: readonly ((schema: SchemaModule, types: ColumnTypes) => Promise<void>)[] = [createTables];

/**
 * Migrates tables from `version` (0: no tables yet) to this release. Resolves with the new version. Call it in a transaction
 * that excludes concurrent migrations. Throws like `isCurrent`.
 */
export async function migrate(
  tables: Kysely<Tables>,
  types: ColumnTypes,
  version: number,
  place: string,
): Promise<number> {
  if (isCurrent(version, place)) return version;
  for (const step of MIGRATIONS.slice(version)) await step(tables.schema, types);
  return MIGRATIONS.length;
}

/**
 * Whether `version` is the version of this release. Throws a BrokerError of kind `setup` if it is newer. `place` starts the
 * error message: `The queue file /var/lib/worker/queues.db`.
 */
export function isCurrent(version: number, place: string): boolean {
  if (version <= MIGRATIONS.length) return version === MIGRATIONS.length;
  throw new BrokerError(
    'setup',
    `${place} was created by a newer release (its tables have version ${version}; this release supports ${MIGRATIONS.length}). Update sqs-containers.`,
  );
}

function notNull(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder {
  return column.notNull();
}

async function createTables(schema: SchemaModule, types: ColumnTypes): Promise<void> {
  await createQueues(schema, types);
  await createMessages(schema, types);
  await createGroups(schema, types);
  await createDeduplication(schema, types);
}

async function createQueues(schema: SchemaModule, { integer, text, key }: ColumnTypes): Promise<void> {
  await schema
    .createTable('queue')
    .addColumn('id', integer, key)
    .addColumn('name', text, (column) => column.notNull().unique())
    .addColumn('visibility_timeout', integer, notNull)
    .addColumn('delay_seconds', integer, notNull)
    .addColumn('retention_seconds', integer)
    .addColumn('dead_letter_queue', text)
    .addColumn('max_receives', integer)
    .addColumn('content_based_deduplication', integer, notNull)
    .execute();
}

async function createMessages(schema: SchemaModule, types: ColumnTypes): Promise<void> {
  const { integer, bytes, text, key, oftenChanged } = types;
  await schema
    .createTable('message')
    .addColumn('id', integer, key)
    .addColumn('queue_id', integer, notNull)
    .addColumn('message_id', text, notNull)
    .addColumn('body', sql.raw(bytes), notNull)
    .addColumn('attributes', text)
    .addColumn('group_id', text)
    .addColumn('deduplication_id', text)
    .addColumn('sent_at', integer, notNull)
    .addColumn('visible_at', integer, notNull)
    .addColumn('receive_count', integer, notNull)
    .addColumn('receipt', text)
    .modifyEnd(oftenChanged)
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
}

/** One row for each group with messages: FIFO queues receive by group. */
async function createGroups(schema: SchemaModule, types: ColumnTypes): Promise<void> {
  const { integer, text, key, oftenChanged } = types;
  await schema
    .createTable('message_group')
    .addColumn('id', integer, key)
    .addColumn('queue_id', integer, notNull)
    .addColumn('group_id', text, notNull)
    .addColumn('visible_at', integer, notNull)
    .addUniqueConstraint('message_group_once', ['queue_id', 'group_id'])
    .modifyEnd(oftenChanged)
    .execute();
  await schema
    .createIndex('message_group_by_visibility')
    .on('message_group')
    .columns(['queue_id', 'visible_at', 'id'])
    .execute();
}

async function createDeduplication(schema: SchemaModule, types: ColumnTypes): Promise<void> {
  const { integer, text, key, oftenChanged } = types;
  await schema
    .createTable('deduplication')
    .addColumn('id', integer, key)
    .addColumn('queue_id', integer, notNull)
    .addColumn('deduplication_id', text, notNull)
    .addColumn('message_id', text, notNull)
    .addColumn('message_number', integer, notNull)
    .addColumn('remembered_until', integer, notNull)
    .addUniqueConstraint('deduplication_once', ['queue_id', 'deduplication_id'])
    .modifyEnd(oftenChanged)
    .execute();
  await schema.createIndex('deduplication_by_age').on('deduplication').column('remembered_until').execute();
}
