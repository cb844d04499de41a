/** Empties a queue in steps, so that others can work meanwhile. */
import type { Kysely } from 'kysely';
import { isFifoName } from '../rules/queue-name.ts';
import type { Database } from './database.ts';
import { lockGroups, refreshGroups } from './groups.ts';
import { type QueueNow, selectQueue } from './queue-row.ts';
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
    deleted = await database.change(async (tables) => {
      const current = await selectQueue(tables, queue.name, database.dialect).executeTakeFirst();
      return current ? deleteSome(tables, current, last) : 0;
    });
  } while (deleted > 0);
}

async function deleteSome(tables: Kysely<Tables>, queue: QueueNow, last: number): Promise<number> {
  const fifo = isFifoName(queue.name);
  const found = await tables
    .selectFrom('message')
    .select(['id', 'group_id'])
    .where('queue_id', '=', queue.id)
    .where('id', '<=', last)
    // Group by group, for each that lost messages is refreshed.
    .$if(fifo, (of) => of.where('group_id', 'is not', null).orderBy('group_id'))
    .limit(STEP)
    .execute();
  if (found.length === 0) return 0;
  const numbers = found.map(({ id }) => id);
  if (fifo) await lockGroups(tables, queue, numbers);
  await tables.deleteFrom('message').where('id', 'in', numbers).execute();
  if (fifo) {
    await refreshGroups(
      tables,
      queue,
      found.map(({ group_id }) => group_id),
    );
  }
  return found.length;
}
