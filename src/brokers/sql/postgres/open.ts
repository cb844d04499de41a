/** Opens the queues in a Postgres database: connects, and creates the tables if they are missing. */
import { Kysely, sql } from 'kysely';
import type { ClientConfig, CustomTypesConfig } from 'pg';
import type { Broker } from '../../broker.ts';
import { notInstalled } from '../../optional-package.ts';
import { SqlBroker } from '../broker.ts';
import { type ColumnTypes, isCurrent, migrate } from '../migrations.ts';
import type { Tables } from '../schema.ts';
import { type PostgresAddress, parseAddress } from './address.ts';
import { PostgresDatabase } from './database.ts';
import { LONGEST_STATEMENT_MS, postgresDialect } from './dialect.ts';
import { isUnknownParameter, postgresFailure } from './failures.ts';
import { NotificationWatch } from './watch.ts';

/**
 * The maximum number of connections for statements, plus one that listens for changes. A process runs few statements at a
 * time, because it batches requests; more connections would only wait for each other, and they are expensive for the server.
 */
const MAX_CONNECTIONS = 4;
const CONNECT_MS = 5_000;
/** How long a connection is idle before TCP keep-alive checks the server: a connection that only listens needs it. */
const KEEP_ALIVE_MS = 10_000;
/** How long an answer may take: longer than the server's own limit for a statement. */
const ANSWER_MS = 15_000;

/** Identifies our advisory lock among those of other applications in the database: "sqsc" in ASCII. */
const LOCK = 0x73717363;

/**
 * Text compares byte by byte, as in JavaScript. Rows live for seconds and change two or three times, so autovacuum should run
 * after a few thousand dead rows, whatever the size of the table, and without its usual delays.
 */
const COLUMN_TYPES: ColumnTypes = {
  integer: 'bigint',
  bytes: 'bytea',
  text: sql`text collate "C"`,
  key: (column) => column.generatedAlwaysAsIdentity().primaryKey(),
  oftenChanged: sql`with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)`,
};

/**
 * Opens the queues in the database at `address` (`postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters of
 * node-postgres, such as `sslmode`), in the schema `sqs_containers` or the one in the parameter `schema`. Missing parts of
 * the address come from the environment (`PGHOST`, …). Throws a BrokerError: of kind `setup` if the address is invalid, the
 * package `pg` is not installed, or the database does not exist; of another kind depending on the server's answer.
 */
export async function openPostgres(address: string): Promise<Broker> {
  const { default: pg } = await import('pg').catch(notInstalled('pg', 'Queues in Postgres'));
  const parsed = parseAddress(address, pg);
  try {
    // The server cancels statements that we no longer wait for, such as one blocked by a lock.
    return await open(pg, parsed, { statement_timeout: LONGEST_STATEMENT_MS });
  } catch (error) {
    if (isUnknownParameter(error)) return open(pg, parsed, {});
    throw error;
  }
}

type Pg = typeof import('pg').default;

async function open(
  pg: Pg,
  { connectionString, schema, description }: PostgresAddress,
  limits: Pick<ClientConfig, 'statement_timeout'>,
): Promise<Broker> {
  const options = {
    ...limits,
    connectionString,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: 'sqs-containers',
    types: typesOf(pg),
  };
  const pool = new pg.Pool({ ...options, max: MAX_CONNECTIONS });
  // An idle connection that is lost is replaced when needed; losing one in use fails its statement.
  const ignore = () => {};
  pool.on('error', ignore);
  pool.on('connect', (client) => client.on('error', ignore));
  const tables = new Kysely<Tables>({
    dialect: postgresDialect(pool, (error) => postgresFailure(description, error)),
  }).withSchema(schema);
  try {
    await prepareSchema(tables, schema, description);
  } catch (error) {
    await tables.destroy();
    throw error;
  }
  const watch = new NotificationWatch(() => new pg.Client(options), schema);
  return new SqlBroker(new PostgresDatabase(description, schema, tables, watch));
}

/** Parses 64-bit integers as numbers: ours stay below 2^53. */
function typesOf({ types }: Pg): CustomTypesConfig {
  return {
    getTypeParser: (oid, format) =>
      oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format as 'text'),
  };
}

/**
 * Creates the schema for the queues, once, even if several processes start at the same time. Throws BrokerErrors;
 * `description` is the database's.
 */
async function prepareSchema(tables: Kysely<Tables>, schema: string, description: string): Promise<void> {
  const place = `The schema ${schema} of ${description}`;
  // A user without permission to create tables can still use existing ones.
  if (isCurrent(await versionOf(tables, schema), place)) return;
  await tables.transaction().execute(async (change) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)}, hashtext(${schema}))`.execute(change);
    const version = await versionOf(change, schema);
    if (version === 0) await makeSchema(change, schema);
    const current = await migrate(change, COLUMN_TYPES, version, place);
    await sql`update ${versionTable(schema)} set version = ${current}`.execute(change);
  });
}

/** The version of the tables: 0 if they do not exist. */
async function versionOf(tables: Kysely<Tables>, schema: string): Promise<number> {
  // Not with to_regclass, which may not see tables created by the previous holder of the lock.
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
