/**
 * A Kysely dialect for `node:sqlite`: one connection, cached prepared statements, and transactions that take the write lock
 * when they begin. Retries a statement when the file is locked, without blocking the process.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  type SelectModifierNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type Machine, realMachine } from '../../../host/host.ts';
import { isLocked, sqliteFailure } from './failures.ts';

/** How long to wait for a lock held by another process. We hold ours for a few milliseconds at most. */
const LOCKED_MS = 10_000;

/** Returns the Kysely dialect for an open database, and takes over closing it. Throws BrokerErrors that name `path`. */
export function sqliteDialect(database: DatabaseSync, path: string, machine: Machine = realMachine): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(database, path, machine),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new QueryCompiler(),
  };
}

/** Omits row locks (`for update`), which SQLite does not have: a transaction locks the whole file. */
class QueryCompiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(_node: SelectModifierNode): void {}
}

/** A driver with one connection, which Kysely gives to one user at a time. */
class SqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: SqliteConnection;

  constructor(database: DatabaseSync, path: string, machine: Machine) {
    this.#database = database;
    this.#connection = new SqliteConnection(database, path, machine);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  /** Takes the write lock at once: a transaction that starts with a read fails on write if another process has written. */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  /** Tolerates a missing transaction: after some errors, such as a full disk, SQLite has already rolled back. */
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#database.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #machine: Machine;
  /** Prepared statements by their SQL: a few dozen. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, path: string, machine: Machine) {
    this.#database = database;
    this.#path = path;
    this.#machine = machine;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const startedAt = this.#machine.now();
    for (;;) {
      try {
        return { rows: this.#statement(sql).all(...(parameters as SQLInputValue[])) as Row[] };
      } catch (error) {
        const isHopeless = !isLocked(error) || this.#machine.now() - startedAt > LOCKED_MS;
        if (isHopeless) throw sqliteFailure(this.#path, error);
      }
      await new Promise<void>((resolve) => this.#machine.setTimeout(resolve, 1));
    }
  }

  streamQuery(): never {
    throw new Error('Streaming queries is not supported on SQLite.');
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
