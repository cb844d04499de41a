/** Looks at a queue without changing anything: what is there, and when the next message can be received. */
import type { Kysely } from 'kysely';
import type { QueueCounts } from '../broker.ts';
import { isFifoName } from '../queue-name.ts';
import type { SqlDialect } from './database.ts';
import { type QueueNow, selectQueue } from './queue-row.ts';
import type { Tables } from './schema.ts';

/**
 * In how many milliseconds the next message of a queue can be received: 0 or less if one can now, Infinity without
 * messages. Undefined for a queue that does not exist.
 */
export async function nextVisibleIn(
  tables: Kysely<Tables>,
  name: string,
  dialect: SqlDialect,
): Promise<number | undefined> {
  const found = await selectQueue(tables, name, dialect)
    .select(({ selectFrom }) => {
      const messages = selectFrom('message')
        .select(({ fn }) => fn.min('visible_at').as('first'))
        .whereRef('queue_id', '=', 'queue.id');
      const groups = selectFrom('message_group')
        .select(({ fn }) => fn.min('visible_at').as('first'))
        .whereRef('queue_id', '=', 'queue.id');
      return (isFifoName(name) ? groups : messages).as('visibleAt');
    })
    .executeTakeFirst();
  return found && (found.visibleAt ?? Number.POSITIVE_INFINITY) - found.now;
}

/** Counts by the index alone what is visible, and looks at the others: some are in flight, some delayed. */
export async function countMessages(tables: Kysely<Tables>, { id, now }: QueueNow): Promise<QueueCounts> {
  const { visible } = await tables
    .selectFrom('message')
    .select(({ fn }) => fn.countAll<number>().as('visible'))
    .where('queue_id', '=', id)
    .where('visible_at', '<=', now)
    .executeTakeFirstOrThrow();
  const { invisible, inFlight } = await tables
    .selectFrom('message')
    .select(({ fn }) => [fn.countAll<number>().as('invisible'), fn.count<number>('receipt').as('inFlight')])
    .where('queue_id', '=', id)
    .where('visible_at', '>', now)
    .executeTakeFirstOrThrow();
  return { visible, inFlight, delayed: invisible - inFlight };
}
