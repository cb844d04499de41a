/** Finds a queue by its name, with its settings and the time on the database's clock. */
import type { QueryCreator, RawBuilder, SelectQueryBuilder } from 'kysely';
import type { SqlDialect } from './database.ts';
import type { QueueRow, Tables } from './schema.ts';

/** A queue as it is now. */
export interface QueueNow extends QueueRow {
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Selects a queue, for a statement of its own or as a part of one. */
export function selectQueue(
  tables: QueryCreator<Tables>,
  name: string | RawBuilder<string>,
  dialect: SqlDialect,
): SelectQueryBuilder<Tables, 'queue', QueueNow> {
  return tables.selectFrom('queue').selectAll().select(dialect.now.as('now')).where('name', '=', name);
}
