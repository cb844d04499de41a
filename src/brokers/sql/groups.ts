/**
 * Message groups of FIFO queues. A group has a row while it has messages; the row says when messages in the group can be
 * received. Messages are received in order, at most ten at a time and only when none is in flight: so the ones in flight
 * are always among the first ten.
 *
 * Every transaction that sends to a group, receives from it, or changes its messages locks the row first and reads the
 * messages afterwards, so it sees the changes of earlier transactions. Groups are locked in the order of their ids to
 * prevent deadlocks.
 */
import type { Kysely } from 'kysely';
import { BATCH_ENTRIES } from '../rules/limits.ts';
import type { QueueNow } from './database.ts';
import type { MessageRow, QueueRow, Tables } from './schema.ts';

type GroupedMessage = Pick<MessageRow, 'id' | 'group_id' | 'visible_at' | 'receipt'>;

/**
 * When messages in a group can be received, determined from its first ten messages: when the last one in flight becomes
 * visible again or, if none is in flight, when the first one becomes visible. Undefined for a group without messages.
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

/** Locks the groups of messages that are about to be sent, and creates new groups. */
export async function openGroups(
  tables: Kysely<Tables>,
  queue: QueueRow,
  messages: readonly { readonly groupId: string; readonly visibleAt: number }[],
): Promise<void> {
  const visibleAt = new Map(messages.map((message) => [message.groupId, message.visibleAt]));
  const groups = [...visibleAt.keys()].sort();
  await tables
    .insertInto('message_group')
    .values(groups.map((id) => ({ queue_id: queue.id, group_id: id, visible_at: visibleAt.get(id)! })))
    // If the group already has messages, its row says when they can be received: keep it.
    .onConflict((conflict) =>
      conflict.columns(['queue_id', 'group_id']).doUpdateSet(({ ref }) => ({
        visible_at: ref('message_group.visible_at'),
      })),
    )
    .execute();
}

/** Locks the groups of the given messages. */
export async function lockGroups(
  tables: Kysely<Tables>,
  queue: QueueRow,
  numbers: readonly number[],
): Promise<void> {
  await tables
    .selectFrom('message_group')
    .select('id')
    .where('queue_id', '=', queue.id)
    .where('group_id', 'in', ({ selectFrom }) =>
      selectFrom('message').select('group_id').where('id', 'in', numbers).$narrowType<{ group_id: string }>(),
    )
    .orderBy('group_id')
    .forUpdate()
    .execute();
}

/** Updates the rows of groups after their messages changed. */
export async function refreshGroups(
  tables: Kysely<Tables>,
  queue: QueueNow,
  groupIds: Iterable<string | null>,
): Promise<void> {
  const all = [...new Set(groupIds)].filter((id) => id !== null);
  for (let start = 0; start < all.length; start += BATCH_ENTRIES) {
    await refreshSome(tables, queue, all.slice(start, start + BATCH_ENTRIES));
  }
}

async function refreshSome(tables: Kysely<Tables>, queue: QueueNow, groupIds: string[]): Promise<void> {
  const messages = Map.groupBy(
    await firstOfEach(tables, queue, groupIds, BATCH_ENTRIES),
    (row) => row.group_id,
  );
  const alike = Map.groupBy(groupIds, (id) => groupVisibleAt(messages.get(id) ?? [], queue.now));
  for (const [visibleAt, ids] of alike) {
    if (visibleAt === undefined) {
      await tables
        .deleteFrom('message_group')
        .where('queue_id', '=', queue.id)
        .where('group_id', 'in', ids)
        .execute();
    } else {
      await tables
        .updateTable('message_group')
        .set({ visible_at: visibleAt })
        .where('queue_id', '=', queue.id)
        .where('group_id', 'in', ids)
        .execute();
    }
  }
}

/**
 * The numbers of up to `max` messages that can be received now, in order within each group; the group that has been ready the
 * longest comes first. Skips groups locked by other transactions, and locks the others.
 */
export async function firstOfGroups(tables: Kysely<Tables>, queue: QueueNow, max: number): Promise<number[]> {
  const groups = await tables
    .selectFrom('message_group')
    .select('group_id')
    .where('queue_id', '=', queue.id)
    .where('visible_at', '<=', queue.now)
    .orderBy('visible_at')
    .orderBy('id')
    .limit(max)
    .forUpdate()
    .skipLocked()
    .execute();
  const groupIds = groups.map(({ group_id }) => group_id);
  const messages = Map.groupBy(await firstOfEach(tables, queue, groupIds, max), (row) => row.group_id);
  const found = groupIds.flatMap((groupId) => {
    const first = messages.get(groupId) ?? [];
    const delayed = first.findIndex(({ visible_at }) => visible_at > queue.now);
    return delayed < 0 ? first : first.slice(0, delayed);
  });
  return found.slice(0, max).map(({ id }) => id);
}

/** The first `count` messages in each group, in order. */
async function firstOfEach(
  tables: Kysely<Tables>,
  queue: QueueRow,
  groupIds: readonly string[],
  count: number,
): Promise<GroupedMessage[]> {
  const [query, ...others] = groupIds.map((groupId) =>
    tables
      .selectFrom(({ selectFrom }) =>
        selectFrom('message')
          .select(['id', 'group_id', 'visible_at', 'receipt'])
          .where('queue_id', '=', queue.id)
          .where('group_id', '=', groupId)
          .orderBy('id')
          .limit(count)
          .as('first'),
      )
      .selectAll(),
  );
  if (!query) return [];
  const rows = await query.unionAll(others).execute();
  return rows.sort((one, other) => one.id - other.id);
}
