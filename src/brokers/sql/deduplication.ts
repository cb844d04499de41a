/** Remembers for five minutes what was sent with each deduplication id. */
import type { Kysely } from 'kysely';
import type { SendResult } from '../broker.ts';
import { DEDUPLICATION_MS, sequenceNumber } from '../rules/sqs-rules.ts';
import type { QueueNow } from './queue-row.ts';
import type { DeduplicationTable, Tables } from './schema.ts';

/** A message as it is remembered. */
export type Numbered = Pick<DeduplicationTable, 'deduplication_id' | 'message_id' | 'message_number'>;

/** How many old deduplication ids a request forgets: more than come in, and not so many that it takes long. */
const FORGOTTEN_AT_ONCE = 100;
/** Of a message that has none yet. */
const NO_NUMBER = 0;

/**
 * Remembers those of these ids that are new, and returns them. If another transaction is about to remember the same id,
 * its end is waited for.
 */
export async function rememberNew(
  tables: Kysely<Tables>,
  queue: QueueNow,
  messages: readonly Omit<Numbered, 'message_number'>[],
): Promise<Set<string>> {
  await forgetOld(tables, queue);
  const remembered = await tables
    .insertInto('deduplication')
    .values(
      messages
        .map(({ deduplication_id, message_id }) => ({
          queue_id: queue.id,
          deduplication_id,
          message_id,
          message_number: NO_NUMBER,
          remembered_until: queue.now + DEDUPLICATION_MS,
        }))
        // In the same order by all, so that two never wait for each other.
        .sort((one, other) => (one.deduplication_id < other.deduplication_id ? -1 : 1)),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['queue_id', 'deduplication_id'])
        .doUpdateSet(({ ref }) => ({
          message_id: ref('excluded.message_id'),
          remembered_until: ref('excluded.remembered_until'),
        }))
        .where('deduplication.remembered_until', '<=', queue.now),
    )
    .returning('deduplication_id')
    .execute();
  return new Set(remembered.map(({ deduplication_id }) => deduplication_id));
}

/** Adds the numbers that new messages were given. */
export async function rememberNumbers(
  tables: Kysely<Tables>,
  queue: QueueNow,
  messages: readonly Numbered[],
): Promise<void> {
  await tables
    .insertInto('deduplication')
    .values(
      messages.map((message) => ({
        ...message,
        queue_id: queue.id,
        remembered_until: queue.now + DEDUPLICATION_MS,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['queue_id', 'deduplication_id'])
        .doUpdateSet(({ ref }) => ({ message_number: ref('excluded.message_number') })),
    )
    .execute();
}

/** The results of what was sent with these ids before, by id. */
export async function sentBefore(
  tables: Kysely<Tables>,
  queue: QueueNow,
  ids: readonly string[],
): Promise<Map<string, SendResult>> {
  if (ids.length === 0) return new Map();
  const rows = await tables
    .selectFrom('deduplication')
    .select(['deduplication_id', 'message_id', 'message_number'])
    .where('queue_id', '=', queue.id)
    .where('deduplication_id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.deduplication_id, sentResult(row)]));
}

export function sentResult(sent: Omit<Numbered, 'deduplication_id'>): SendResult {
  return { ok: true, messageId: sent.message_id, sequenceNumber: sequenceNumber(sent.message_number) };
}

async function forgetOld(tables: Kysely<Tables>, { now }: QueueNow): Promise<void> {
  await tables
    .deleteFrom('deduplication')
    .where('id', 'in', ({ selectFrom }) =>
      selectFrom('deduplication')
        .select('id')
        .where('remembered_until', '<=', now)
        .limit(FORGOTTEN_AT_ONCE)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
}
