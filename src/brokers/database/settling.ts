/** Deletes messages and moves when they are visible, by receipt handle. */
import type { Kysely } from 'kysely';
import type { EntryResult, VisibilityChange } from '../broker.ts';
import {
  badReceiptHandle,
  notInFlight,
  oldReceiptHandle,
  parseReceiptHandle,
  type Receipt,
} from '../receipt-handle.ts';
import { changeRefusal, isFifoName } from '../sqs-rules.ts';
import { refreshGroups } from './groups.ts';
import type { MessageRow, QueueRow, Tables } from './schema.ts';

type HeldMessage = Pick<MessageRow, 'id' | 'receipt' | 'visible_at' | 'group_id'>;

/** Deletes messages; a result for each, in order. */
export async function deleteMessages(
  tables: Kysely<Tables>,
  queue: QueueRow,
  receiptHandles: readonly string[],
  now: number,
): Promise<EntryResult[]> {
  const fifo = isFifoName(queue.name);
  const receipts = receiptHandles.map(parseReceiptHandle);
  const held = await heldMessages(tables, queue, receipts);
  const results = receipts.map((receipt) => deleteResult(receipt, held, fifo, now));
  const deleted = numbersOf(receipts.filter((_, index) => results[index]!.ok)).filter((number) =>
    held.has(number),
  );
  await tables.deleteFrom('message').where('id', 'in', deleted).execute();
  if (fifo) await refreshGroups(tables, queue.id, groupsOf(deleted, held), now);
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
  const held = await heldMessages(tables, queue, receipts);
  const results = changes.map(
    (change, index) => changeRefusal(change) ?? changeResult(receipts[index], held, now),
  );
  const changed = changes.flatMap(({ seconds }, index) =>
    results[index]!.ok ? [{ seconds, number: receipts[index]!.number }] : [],
  );
  // Most requests ask for the same seconds for all.
  for (const [seconds, alike] of Map.groupBy(changed, (change) => change.seconds)) {
    await tables
      .updateTable('message')
      .set({ visible_at: now + seconds * 1000 })
      .where(
        'id',
        'in',
        alike.map(({ number }) => number),
      )
      .execute();
  }
  if (isFifoName(queue.name)) {
    await refreshGroups(
      tables,
      queue.id,
      groupsOf(
        changed.map(({ number }) => number),
        held,
      ),
      now,
    );
  }
  return results;
}

function deleteResult(
  receipt: Receipt | undefined,
  held: ReadonlyMap<number, HeldMessage>,
  fifo: boolean,
  now: number,
): EntryResult {
  if (!receipt) return badReceiptHandle;
  const message = held.get(receipt.number);
  if (!message) return { ok: true };
  if (receipt.token !== message.receipt) return oldReceiptHandle;
  // On FIFO queues the group is open again: a delete now would let the next message overtake this one's second delivery.
  return fifo && message.visible_at <= now ? oldReceiptHandle : { ok: true };
}

function changeResult(
  receipt: Receipt | undefined,
  held: ReadonlyMap<number, HeldMessage>,
  now: number,
): EntryResult {
  if (!receipt) return badReceiptHandle;
  const message = held.get(receipt.number);
  if (!message) return notInFlight;
  if (receipt.token !== message.receipt) return oldReceiptHandle;
  return message.visible_at <= now ? notInFlight : { ok: true };
}

/** By number. The database looks by number alone, which finds each at once, whatever it knows of its indexes. */
async function heldMessages(
  tables: Kysely<Tables>,
  queue: QueueRow,
  receipts: readonly (Receipt | undefined)[],
): Promise<Map<number, HeldMessage>> {
  const rows = await tables
    .selectFrom('message')
    .select(['id', 'queue_id', 'receipt', 'visible_at', 'group_id'])
    .where('id', 'in', numbersOf(receipts))
    .execute();
  return new Map(rows.filter(({ queue_id }) => queue_id === queue.id).map((row) => [row.id, row]));
}

function numbersOf(receipts: readonly (Receipt | undefined)[]): number[] {
  return receipts.flatMap((receipt) => receipt?.number ?? []);
}

function groupsOf(numbers: readonly number[], held: ReadonlyMap<number, HeldMessage>) {
  return numbers.flatMap((number) => held.get(number)?.group_id ?? []);
}
