/**
 * Kysely on `node:sqlite`: one connection, whose prepared statements are kept, and transactions that take the lock for
 * writing when they begin. A statement that finds the file locked is tried again without blocking the process.
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
import { isLocked, sqliteFailure } from './failures.ts';

/** How long a lock of another process is waited for. Ours are held for some milliseconds at most. */
const LOCKED_MS = 10_000;

/** Kysely's dialect for an open database, which it closes in the end. Throws BrokerErrors that name `path`. */
export function sqliteDialect(database: DatabaseSync, path: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteDriver(database, path),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new QueryCompiler(),
  };
}

/** Leaves out the locks of rows (`for update`), which SQLite has none of: a transaction has the lock of the file. */
class QueryCompiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(_node: SelectModifierNode): void {}
}

/** Kysely lets one user at a time have the connection. */
class SqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: SqliteConnection;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#connection = new SqliteConnection(database, path);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }

  /** A transaction that began by reading could not write once another process has written: it would have to fail. */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  /** After some errors, such as a full disk, SQLite has rolled back by itself. */
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
  /** By their SQL, of which there are a few dozen. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const startedAt = performance.now();
    for (;;) {
      try {
        return { rows: this.#statement(sql).all(...(parameters as SQLInputValue[])) as Row[] };
      } catch (error) {
        const isHopeless = !isLocked(error) || performance.now() - startedAt > LOCKED_MS;
        if (isHopeless) throw sqliteFailure(this.#path, error);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  streamQuery(): never {
    throw new Error('Queries on SQLite are not streamed: their rows come at once.');
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
