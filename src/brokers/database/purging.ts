/** Empties a queue in steps, so that others can work meanwhile. */
import type { Kysely } from 'kysely';
import { isFifoName } from '../queue-name.ts';
import type { Database } from './database.ts';
import { refreshGroups } from './groups.ts';
import type { QueueRow, Tables } from './schema.ts';

/** How many messages one transaction deletes: some milliseconds' work. */
const STEP = 1_000;

/** Deletes the messages of a queue. Those that are sent meanwhile stay. */
export async function purge(database: Database, queue: QueueRow): Promise<void> {
  const { last } = await database.read((tables) =>
    tables
      .selectFrom('message')
      .select(({ fn }) => fn.max('id').as('last'))
      .executeTakeFirstOrThrow(),
  );
  let deleted: number;
  do {
    deleted = await database.change((tables) => deleteSome(tables, queue, last, database.now()));
  } while (deleted > 0);
}

async function deleteSome(
  tables: Kysely<Tables>,
  queue: QueueRow,
  last: number,
  now: number,
): Promise<number> {
  const deleted = await tables
    .deleteFrom('message')
    .where('id', 'in', ({ selectFrom }) =>
      selectFrom('message')
        .select('id')
        .where('queue_id', '=', queue.id)
        .where('id', '<=', last)
        // Group by group, for each that lost messages is refreshed.
        .$if(isFifoName(queue.name), (of) => of.where('group_id', 'is not', null).orderBy('group_id'))
        .limit(STEP),
    )
    .returning('group_id')
    .execute();
  const groups = deleted.map(({ group_id }) => group_id);
  if (isFifoName(queue.name)) await refreshGroups(tables, queue.id, groups, now);
  return deleted.length;
}
