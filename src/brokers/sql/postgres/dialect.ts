/** A Kysely dialect for a node-postgres pool: discards failed connections, and limits how long transactions can last. */
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { isOfStatement } from './failures.ts';

/** Ours take a few milliseconds. Locks of a hanging process or a lost host are released after this time. */
export const LONGEST_STATEMENT_MS = 10_000;
const BEGIN = `begin; set local statement_timeout = ${LONGEST_STATEMENT_MS}; set local idle_in_transaction_session_timeout = ${LONGEST_STATEMENT_MS}`;

/** Returns the Kysely dialect for a pool, and takes over closing it. Converts errors with `failure` before throwing them. */
export function postgresDialect(pool: Pool, failure: (error: unknown) => Error): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresDriver(pool, failure),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

class PostgresDriver implements Driver {
  readonly #pool: Pool;
  readonly #failure: (error: unknown) => Error;

  constructor(pool: Pool, failure: (error: unknown) => Error) {
    this.#pool = pool;
    this.#failure = failure;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    try {
      return new PostgresConnection(await this.#pool.connect(), this.#failure);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async beginTransaction(connection: PostgresConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(BEGIN));
  }

  async commitTransaction(connection: PostgresConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  /** Does nothing for a lost connection: the server rolls back its transaction. */
  async rollbackTransaction(connection: PostgresConnection): Promise<void> {
    if (!connection.isBroken) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async releaseConnection(connection: PostgresConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  readonly #failure: (error: unknown) => Error;
  #isBroken = false;

  constructor(client: PoolClient, failure: (error: unknown) => Error) {
    this.#client = client;
    this.#failure = failure;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Uses no named prepared statements: their plans would be kept from when the tables were small. */
  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      const values = parameters.length > 0 ? { values: [...parameters] } : {};
      const { rows } = await this.#client.query({ text: sql, ...values });
      return { rows };
    } catch (error) {
      this.#isBroken ||= !isOfStatement(error);
      throw this.#failure(error);
    }
  }

  streamQuery(): never {
    throw new Error('Streaming queries is not supported on Postgres.');
  }

  release(): void {
    this.#client.release(this.#isBroken);
  }
}
