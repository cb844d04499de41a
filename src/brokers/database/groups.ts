/**
 * Message groups of FIFO queues. A group has a row while it has messages; the row says from when messages of the group
 * can be received. Its messages are handed out from the first on, at most ten at once and only when none is in flight:
 * so those in flight are always among the first ten.
 */
import type { Kysely } from 'kysely';
import { BATCH_ENTRIES } from '../limits.ts';
import type { MessageRow, Tables } from './schema.ts';

/**
 * From when messages of a group can be received, by the first ten of the group: when the last that is in flight is
 * visible again; with none in flight, when the first is visible. Undefined for a group without messages.
 *
 *     groupVisibleAt([{ visible_at: 50, receipt: 'a' }, { visible_at: 70, receipt: 'b' }], 20) // 70: both are in flight
 *     groupVisibleAt([{ visible_at: 10, receipt: 'a' }, { visible_at: 70, receipt: null }], 20) // 10: the second is delayed
 */
export function groupVisibleAt(
  first: readonly Pick<MessageRow, 'visible_at' | 'receipt'>[],
  now: number,
): number | undefined {
  const inFlight = first.filter(({ visible_at, receipt }) => receipt !== null && visible_at > now);
  if (inFlight.length === 0) return first[0]?.visible_at;
  return Math.max(...inFlight.map(({ visible_at }) => visible_at));
}

/** Brings the rows of groups up to date after a change of their messages. */
export async function refreshGroups(
  tables: Kysely<Tables>,
  queueId: number,
  groupIds: Iterable<string | null>,
  now: number,
): Promise<void> {
  for (const groupId of new Set(groupIds)) {
    const first = await tables
      .selectFrom('message')
      .select(['visible_at', 'receipt'])
      .where('queue_id', '=', queueId)
      .where('group_id', '=', groupId)
      .orderBy('id')
      .limit(BATCH_ENTRIES)
      .execute();
    const visibleAt = groupVisibleAt(first, now);
    if (visibleAt === undefined) {
      await tables
        .deleteFrom('message_group')
        .where('queue_id', '=', queueId)
        .where('group_id', '=', groupId)
        .execute();
    } else {
      await tables
        .updateTable('message_group')
        .set({ visible_at: visibleAt })
        .where('queue_id', '=', queueId)
        .where('group_id', '=', groupId)
        .execute();
    }
  }
}

/** Up to `max` messages that can be received now: of the group that can the longest first, in order within each group. */
export async function firstOfGroups(
  tables: Kysely<Tables>,
  queueId: number,
  max: number,
  now: number,
): Promise<MessageRow[]> {
  const groups = await tables
    .selectFrom('message_group')
    .select('group_id')
    .where('queue_id', '=', queueId)
    .where('visible_at', '<=', now)
    .orderBy('visible_at')
    .orderBy('id')
    .limit(max)
    .execute();
  const found: MessageRow[] = [];
  for (const { group_id } of groups) {
    if (found.length === max) break;
    const first = await tables
      .selectFrom('message')
      .selectAll()
      .where('queue_id', '=', queueId)
      .where('group_id', '=', group_id)
      .orderBy('id')
      .limit(max - found.length)
      .execute();
    const delayed = first.findIndex(({ visible_at }) => visible_at > now);
    found.push(...(delayed < 0 ? first : first.slice(0, delayed)));
  }
  return found;
}
