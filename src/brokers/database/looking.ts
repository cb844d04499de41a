/** Looks at a queue without changing anything: what is there, and when the next message can be received. */
import type { Kysely } from 'kysely';
import type { QueueCounts } from '../broker.ts';
import { isFifoName } from '../queue-name.ts';
import type { QueueRow, Tables } from './schema.ts';

/**
 * When the next message of a queue can be received: milliseconds since the epoch, Infinity without messages. Undefined
 * for a queue that does not exist.
 */
export async function nextVisibleAt(tables: Kysely<Tables>, name: string): Promise<number | undefined> {
  const found = await tables
    .selectFrom('queue')
    .select(({ selectFrom }) => {
      const messages = selectFrom('message')
        .select(({ fn }) => fn.min('visible_at').as('first'))
        .whereRef('queue_id', '=', 'queue.id');
      const groups = selectFrom('message_group')
        .select(({ fn }) => fn.min('visible_at').as('first'))
        .whereRef('queue_id', '=', 'queue.id');
      return (isFifoName(name) ? groups : messages).as('visibleAt');
    })
    .where('name', '=', name)
    .executeTakeFirst();
  return found && (found.visibleAt ?? Number.POSITIVE_INFINITY);
}

/** Counts by the index alone what is visible, and looks at the others: some are in flight, some delayed. */
export async function countMessages(
  tables: Kysely<Tables>,
  { id }: QueueRow,
  now: number,
): Promise<QueueCounts> {
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
