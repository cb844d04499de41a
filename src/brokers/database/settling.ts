/** Deletes messages and moves when they are visible, by receipt handle. */
import type { Kysely } from 'kysely';
import type { EntryResult, VisibilityChange } from '../broker.ts';
import { isFifoName } from '../queue-name.ts';
import {
  changeResult,
  deleteResult,
  type HeldMessage,
  parseReceiptHandle,
  type Receipt,
} from '../receipt-handle.ts';
import { refreshGroups } from './groups.ts';
import type { QueueRow, Tables } from './schema.ts';

/** A message whose receipt handle came in, with its number and its message group. */
interface FoundMessage extends HeldMessage {
  readonly number: number;
  readonly groupId: string | null;
}

/** Deletes messages; a result for each, in order. */
export async function deleteMessages(
  tables: Kysely<Tables>,
  queue: QueueRow,
  receiptHandles: readonly string[],
  now: number,
): Promise<EntryResult[]> {
  const fifo = isFifoName(queue.name);
  const receipts = receiptHandles.map(parseReceiptHandle);
  const found = await findMessages(tables, queue, receipts, now);
  const results = receipts.map((receipt, index) => deleteResult(receipt, found[index], fifo));
  const deleted = found.flatMap((message, index) => (message && results[index]!.ok ? message : []));
  await tables.deleteFrom('message').where('id', 'in', numbersOf(deleted)).execute();
  if (fifo) await refreshGroups(tables, queue.id, groupsOf(deleted), now);
  return results;
}

/** Changes visibility timeouts; a result for each, in order. */
export async function changeVisibilities(
  tables: Kysely<Tables>,
  queue: QueueRow,
  changes: readonly VisibilityChange[],
  now: number,
): Promise<EntryResult[]> {
  const receipts = changes.map(({ receiptHandle }) => parseReceiptHandle(receiptHandle));
  const found = await findMessages(tables, queue, receipts, now);
  const results = changes.map((change, index) => changeResult(change, receipts[index], found[index]));
  const changed = found.flatMap((message, index) =>
    message && results[index]!.ok ? { ...message, seconds: changes[index]!.seconds } : [],
  );
  // Most requests ask for the same seconds for all.
  for (const [seconds, alike] of Map.groupBy(changed, (message) => message.seconds)) {
    await tables
      .updateTable('message')
      .set({ visible_at: now + seconds * 1000 })
      .where('id', 'in', numbersOf(alike))
      .execute();
  }
  if (isFifoName(queue.name)) await refreshGroups(tables, queue.id, groupsOf(changed), now);
  return results;
}

/**
 * The message of each receipt, where there is one. The database looks by number alone, which finds each at once,
 * whatever it knows of its indexes.
 */
async function findMessages(
  tables: Kysely<Tables>,
  queue: QueueRow,
  receipts: readonly (Receipt | undefined)[],
  now: number,
): Promise<(FoundMessage | undefined)[]> {
  const rows = await tables
    .selectFrom('message')
    .select(['id', 'queue_id', 'receipt', 'visible_at', 'group_id'])
    .where('id', 'in', numbersOf(receipts.filter((receipt) => receipt !== undefined)))
    .execute();
  const found = new Map(
    rows
      .filter(({ queue_id }) => queue_id === queue.id)
      .map(({ id, receipt, visible_at, group_id }): [number, FoundMessage] => [
        id,
        { number: id, token: receipt, isInFlight: visible_at > now, groupId: group_id },
      ]),
  );
  return receipts.map((receipt) => receipt && found.get(receipt.number));
}

function numbersOf(numbered: readonly { readonly number: number }[]): number[] {
  return numbered.map(({ number }) => number);
}

function groupsOf(messages: readonly FoundMessage[]): (string | null)[] {
  return messages.map(({ groupId }) => groupId);
}
