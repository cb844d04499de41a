/** Opens a queue file: creates it if it is missing, checks that it is a queue file, and sets it up for several processes. */
import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { type Machine, realMachine } from '../../../host/host.ts';
import type { Broker } from '../../broker.ts';
import { BrokerError } from '../../errors.ts';
import { SqlBroker } from '../broker.ts';
import { type ColumnTypes, migrate } from '../migrations.ts';
import type { Tables } from '../schema.ts';
import { SqliteDatabase } from './database.ts';
import { sqliteDialect } from './dialect.ts';
import { sqliteFailure } from './failures.ts';
import { systemWatch, type WatchFile } from './watch.ts';

/** Marks a SQLite file as ours: "sqsc" in ASCII. */
const APPLICATION_ID = 0x73717363;
const COLUMN_TYPES: ColumnTypes = {
  integer: 'integer',
  bytes: 'blob',
  text: sql`text`,
  key: (column) => column.primaryKey().autoIncrement(),
  oftenChanged: sql``,
};
/** Owner only, because bodies may be private. SQLite uses the same mode for the files it creates next to it. */
const FILE_MODE = 0o600;

export interface SqliteOptions {
  /** Provides the clock, timers and IDs. Default: the real ones. */
  readonly machine?: Machine;
  /** Reports changes of the write-ahead log. Default: the system's file watcher. */
  readonly watchFile?: WatchFile;
}

/**
 * Opens the queues in the file at `path` (absolute), and creates the file if it is missing. Several processes can have it
 * open. Throws a BrokerError of kind `setup` if the folder is missing, or the file is not a queue file or not writable, and
 * of kind `unreachable` if the disk is full or another process keeps the file locked.
 */
export async function openSqlite(
  path: string,
  { machine = realMachine, watchFile = systemWatch }: SqliteOptions = {},
): Promise<Broker> {
  makeFile(path);
  const connection = connect(path);
  const tables = new Kysely<Tables>({ dialect: sqliteDialect(connection, path, machine) });
  try {
    await prepare(tables, path);
  } catch (error) {
    connection.close();
    throw error;
  }
  return new SqlBroker(new SqliteDatabase(path, connection, tables, { machine, watchFile }));
}

/** Never opens an existing file: closing it would drop the locks that this process may hold on it through SQLite. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', FILE_MODE));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw makingFailure(path, code, error);
  }
}

function makingFailure(path: string, code: string | undefined, error: unknown): BrokerError {
  const folder = dirname(path);
  const cause = { cause: error };
  switch (code) {
    case 'ENOENT':
      return new BrokerError(
        'setup',
        `The folder ${folder} for the queue file ${path} does not exist. Create it (mkdir -p ${folder}), or choose another path.`,
        cause,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new BrokerError(
        'unreachable',
        `The queue file ${path} cannot be created: the disk is full.`,
        cause,
      );
    default:
      return new BrokerError(
        'setup',
        `The queue file ${path} cannot be created (${code}). Grant this user permission to create files in ${folder}, or choose another path.`,
        cause,
      );
  }
}

function connect(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path);
  } catch (error) {
    throw sqliteFailure(path, error);
  }
}

async function prepare(tables: Kysely<Tables>, path: string): Promise<void> {
  const mode = await pragma(tables, 'journal_mode = wal');
  if (mode !== 'wal') {
    throw new BrokerError(
      'setup',
      `The queue file ${path} cannot use a write-ahead log (SQLite's journal mode is still "${mode}"). Move it to a local disk.`,
    );
  }
  // A send that was acknowledged must survive a power failure, so each commit waits for the disk. With NORMAL it would
  // survive only a crash of the process, and users choose a durable queue for more than that. The cost is one fdatasync
  // for a request of up to ten messages.
  await pragma(tables, 'synchronous = full');
  await tables.transaction().execute(async (change) => {
    const applicationId = await pragma(change, 'application_id');
    const version = Number(await pragma(change, 'user_version'));
    const isOurs = applicationId === APPLICATION_ID;
    if (!isOurs && (applicationId !== 0 || version !== 0 || (await hasTables(change)))) {
      throw new BrokerError(
        'setup',
        `The SQLite file ${path} contains something other than queues. Choose another path for the queues.`,
      );
    }
    const current = await migrate(change, COLUMN_TYPES, version, `The queue file ${path}`);
    if (current === version) return;
    await pragma(change, `application_id = ${APPLICATION_ID}`);
    await pragma(change, `user_version = ${current}`);
  });
}

/** Runs a SQLite pragma. Resolves with its value, if it has one. */
async function pragma(tables: Kysely<Tables>, text: string): Promise<unknown> {
  const { rows } = await sql.raw<Record<string, unknown>>(`pragma ${text}`).execute(tables);
  return Object.values(rows[0] ?? {})[0];
}

async function hasTables(tables: Kysely<Tables>): Promise<boolean> {
  const { rows } = await sql`select 1 from sqlite_schema`.execute(tables);
  return rows.length > 0;
}
