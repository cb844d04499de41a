/** Makes the schema of the queues in a Postgres database, once, whoever else starts at the same time. */
import { type Kysely, sql } from 'kysely';
import { type ColumnTypes, isCurrent, migrate } from '../migrations.ts';
import type { Tables } from '../schema.ts';

/** Names the lock that is ours among those of all who use the database: "sqsc" in ASCII. */
const LOCK = 0x73717363;

/**
 * Texts are compared byte by byte, as JavaScript does it. Rows live for seconds and are changed two or three times: the server is to
 * clean up when some thousands are dead, whatever the size of the table, and without its usual pauses.
 */
const COLUMN_TYPES: ColumnTypes = {
  integer: 'bigint',
  bytes: 'bytea',
  text: sql`text collate "C"`,
  key: (column) => column.generatedAlwaysAsIdentity().primaryKey(),
  oftenChanged: sql`with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)`,
};

/** Throws BrokerErrors; `description` is that of the database. */
export async function prepareSchema(
  tables: Kysely<Tables>,
  schema: string,
  description: string,
): Promise<void> {
  const place = `The schema ${schema} of ${description}`;
  // A user who may not make tables can use those that are there.
  if (isCurrent(await versionOf(tables, schema), place)) return;
  await tables.transaction().execute(async (change) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)}, hashtext(${schema}))`.execute(change);
    const version = await versionOf(change, schema);
    if (version === 0) await makeSchema(change, schema);
    const current = await migrate(change, COLUMN_TYPES, version, place);
    await sql`update ${versionTable(schema)} set version = ${current}`.execute(change);
  });
}

/** The version of the tables: 0 if there are none. */
async function versionOf(tables: Kysely<Tables>, schema: string): Promise<number> {
  // Not by to_regclass, which may not know yet what the one who had the lock before has made.
  const { rows } =
    await sql`select from pg_tables where schemaname = ${schema} and tablename = 'version'`.execute(tables);
  if (rows.length === 0) return 0;
  const versions = await sql<{ version: number }>`select version from ${versionTable(schema)}`.execute(
    tables,
  );
  return versions.rows[0]!.version;
}

async function makeSchema(tables: Kysely<Tables>, schema: string): Promise<void> {
  const { rows } = await sql`select from pg_namespace where nspname = ${schema}`.execute(tables);
  if (rows.length === 0) await sql`create schema ${sql.id(schema)}`.execute(tables);
  await sql`create table ${versionTable(schema)} (version integer not null)`.execute(tables);
  await sql`insert into ${versionTable(schema)} values (0)`.execute(tables);
}

function versionTable(schema: string) {
  return sql.id(schema, 'version');
}
