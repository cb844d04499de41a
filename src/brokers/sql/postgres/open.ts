/** Opens the queues in a Postgres database: connects, and makes their tables if they are missing. */
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
 * Connections for statements. A process sends few at once, for it collects what it has to say in requests of ten; more
 * would only wait for each other in the server, whose connections are few and dear. One more listens for changes.
 */
const MAX_CONNECTIONS = 4;
const CONNECT_MS = 5_000;
/** After how long without a word the system asks whether the server is still there: who only listens would not notice. */
const KEEP_ALIVE_MS = 10_000;
/** How long an answer may take: longer than what the server itself allows a statement. */
const ANSWER_MS = 15_000;

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

/**
 * Opens the queues in the database at `address` (`postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters of
 * node-postgres, such as `sslmode`), in the schema `sqs_containers` or that of the parameter `schema`. What the address
 * leaves out is taken from the environment (`PGHOST`, …). Throws a BrokerError: of kind `setup` for a wrong address, if the
 * package `pg` is not installed, or if the database does not exist; of others as the server answers.
 */
export async function openPostgres(address: string): Promise<Broker> {
  const { default: pg } = await import('pg').catch(notInstalled('pg', 'Queues in Postgres'));
  const parsed = parseAddress(address, pg);
  try {
    // The server ends what nobody waits for any more, such as a statement behind a lock.
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
  // A connection that is lost while nobody uses it is replaced when it is needed; one in use fails its statement.
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

/** Gives numbers of 64 bits as numbers: ours stay below 2^53. */
function typesOf({ types }: Pg): CustomTypesConfig {
  return {
    getTypeParser: (oid, format) =>
      oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format as 'text'),
  };
}

/**
 * Makes the schema of the queues, once, whoever else starts at the same time. Throws BrokerErrors; `description` is that of
 * the database.
 */
async function prepareSchema(tables: Kysely<Tables>, schema: string, description: string): Promise<void> {
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
