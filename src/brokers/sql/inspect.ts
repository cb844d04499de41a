/** Reads a queue without changing it: counts, peeks, and when the next message can be received. */
import type { Kysely } from 'kysely';
import type { DeadLetterTarget, PeekedMessage, QueueCounts, QueueInspection } from '../broker.ts';
import { peekedMessage } from '../rules/messages.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { type QueueNow, type SqlDialect, selectQueue } from './database.ts';
import { receivedMessage } from './receive.ts';
import type { QueueRow, Tables } from './schema.ts';

/** Runs `look` with the queue's current state. Throws QueueNotFoundError. */
type ReadQueue = <Result>(
  look: (tables: Kysely<Tables>, queue: QueueNow) => Promise<Result>,
) => Promise<Result>;

/** Returns the inspection operations for the queue that `read` reads. */
export function inspection(read: ReadQueue): QueueInspection {
  return {
    peek: (max) => read((tables, queue) => peekMessages(tables, queue, max)),
    oldest: () => read(oldestSentAt),
    deadLetterQueue: () => read(async (_, queue) => deadLetterTarget(queue)),
    deadLetterSources: () => read((tables, { name }) => sourcesOf(tables, name)),
  };
}

/**
 * Milliseconds until the next message can be received: 0 or less if one can be received now, Infinity if there are no
 * messages. Undefined if the queue does not exist.
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

/** Counts visible messages from the index alone, and reads only the others to tell in-flight from delayed messages. */
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

/** Up to `max` visible messages, in the order of delivery. */
async function peekMessages(tables: Kysely<Tables>, queue: QueueNow, max: number): Promise<PeekedMessage[]> {
  const { id, now, name, retention_seconds } = queue;
  const rows = await tables
    .selectFrom('message')
    .selectAll()
    .where('queue_id', '=', id)
    .where('visible_at', '<=', now)
    .$if(retention_seconds !== null, (of) => of.where('sent_at', '>', now - retention_seconds! * 1000))
    .$if(!isFifoName(name), (of) => of.orderBy('visible_at'))
    .orderBy('id')
    .limit(max)
    .execute();
  return rows.map((row) => peekedMessage(receivedMessage(queue, row, '')));
}

/** When the oldest message was sent, in milliseconds since the epoch. */
async function oldestSentAt(tables: Kysely<Tables>, { id }: QueueNow): Promise<number | undefined> {
  const { oldest } = await tables
    .selectFrom('message')
    .select(({ fn }) => fn.min<number | null>('sent_at').as('oldest'))
    .where('queue_id', '=', id)
    .executeTakeFirstOrThrow();
  return oldest ?? undefined;
}

/** The names of the queues that use this dead-letter queue. */
async function sourcesOf(tables: Kysely<Tables>, name: string): Promise<string[]> {
  const rows = await tables
    .selectFrom('queue')
    .select('name')
    .where('dead_letter_queue', '=', name)
    .orderBy('name')
    .execute();
  return rows.map((row) => row.name);
}

function deadLetterTarget({ dead_letter_queue, max_receives }: QueueRow): DeadLetterTarget | undefined {
  if (dead_letter_queue === null || max_receives === null) return undefined;
  return { name: dead_letter_queue, maxReceives: max_receives };
}
