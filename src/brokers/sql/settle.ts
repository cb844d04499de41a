/** Deletes messages by receipt handle, changes their visibility, and purges queues. */
import { type Kysely, sql } from 'kysely';
import type { EntryResult, VisibilityChange } from '../broker.ts';
import { isFifoName } from '../rules/queue-name.ts';
import {
  changeResult,
  deleteResult,
  type HeldMessage,
  parseReceiptHandle,
  type Receipt,
  receiptHandle,
} from '../rules/receipt-handle.ts';
import { type Database, type QueueNow, type SqlDialect, selectQueue } from './database.ts';
import { lockGroups, refreshGroups } from './groups.ts';
import type { QueueRow, Tables } from './schema.ts';
import { type Placeholders, Statement } from './statement.ts';

/** The message of a receipt handle, with its number and its message group. */
interface FoundMessage extends HeldMessage {
  readonly number: number;
  readonly groupId: string | null;
  readonly visibleAt: number;
}

interface ToDelete {
  readonly name: string;
  readonly numbers: readonly number[];
  readonly handles: readonly string[];
}

const deletion = new Statement((tables, { name, numbers, handles }: Placeholders<ToDelete>) =>
  tables
    .deleteFrom('message')
    .where('id', 'in', numbers)
    .where(sql<string>`id || '-' || receipt`, 'in', handles)
    // A subquery for each message: with a join on the queue, the database might scan all of the queue's messages.
    .where(
      ({ selectFrom }) =>
        selectFrom('queue').select('queue.name').whereRef('queue.id', '=', 'message.queue_id'),
      '=',
      name,
    )
    .returning('id'),
);

/** Deletes messages from a standard queue with one statement. False if any was not deleted, for whatever reason. */
export async function deleteByStatement(
  tables: Kysely<Tables>,
  name: string,
  receiptHandles: readonly string[],
  dialect: SqlDialect,
): Promise<boolean> {
  const receipts = receiptHandles.map(parseReceiptHandle).filter((receipt) => receipt !== undefined);
  if (receipts.length === 0) return false;
  const values = { name, numbers: numbersOf(receipts), handles: receipts.map(receiptHandle) };
  const deleted = await deletion.run(tables, values, dialect);
  return deleted.length === receiptHandles.length;
}

/** Deletes messages. Resolves with a result for each, in order. */
export async function deleteMessages(
  tables: Kysely<Tables>,
  queue: QueueNow,
  receiptHandles: readonly string[],
  dialect: SqlDialect,
): Promise<EntryResult[]> {
  const fifo = isFifoName(queue.name);
  const receipts = receiptHandles.map(parseReceiptHandle);
  const found = await findMessages(tables, queue, receipts);
  const results = receipts.map((receipt, index) => deleteResult(receipt, found[index], fifo));
  const deleted = found.flatMap((message, index) => (message && results[index]!.ok ? message : []));
  if (deleted.length === 0) return results;
  await tables
    .deleteFrom('message')
    .where('id', 'in', numbersOf(deleted))
    // The next message in the group may be receivable now.
    .$if(fifo, (rows) => rows.returning(dialect.announcement(queue.name).as('announced')))
    .execute();
  if (fifo) await refreshGroups(tables, queue, groupsOf(deleted));
  return results;
}

/** Changes visibility timeouts. Resolves with a result for each, in order. */
export async function changeVisibilities(
  tables: Kysely<Tables>,
  queue: QueueNow,
  changes: readonly VisibilityChange[],
  dialect: SqlDialect,
): Promise<EntryResult[]> {
  const receipts = changes.map(({ receiptHandle }) => parseReceiptHandle(receiptHandle));
  const found = await findMessages(tables, queue, receipts);
  const results = changes.map((change, index) => changeResult(change, receipts[index], found[index]));
  const changed = found.flatMap((message, index) =>
    message && results[index]!.ok ? { ...message, until: queue.now + changes[index]!.seconds * 1000 } : [],
  );
  // Most requests use the same number of seconds for all messages.
  for (const [until, alike] of Map.groupBy(changed, (message) => message.until)) {
    const isEarlier = alike.some(({ visibleAt }) => until < visibleAt);
    await tables
      .updateTable('message')
      .set({ visible_at: until })
      .where('id', 'in', numbersOf(alike))
      .$if(isEarlier, (rows) => rows.returning(dialect.announcement(queue.name).as('announced')))
      .execute();
  }
  if (isFifoName(queue.name)) await refreshGroups(tables, queue, groupsOf(changed));
  return results;
}

/**
 * Finds and locks the message of each receipt. Queries by number alone, so that the database uses the primary key whatever
 * its statistics say.
 */
async function findMessages(
  tables: Kysely<Tables>,
  queue: QueueNow,
  receipts: readonly (Receipt | undefined)[],
): Promise<(FoundMessage | undefined)[]> {
  const numbers = numbersOf(receipts.filter((receipt) => receipt !== undefined));
  if (numbers.length === 0) return receipts.map(() => undefined);
  if (isFifoName(queue.name)) await lockGroups(tables, queue, numbers);
  const rows = await tables
    .selectFrom('message')
    .select(['id', 'queue_id', 'receipt', 'visible_at', 'group_id'])
    .where('id', 'in', numbers)
    .orderBy('id')
    .forUpdate()
    .execute();
  const found = new Map(
    rows
      .filter(({ queue_id }) => queue_id === queue.id)
      .map(({ id, receipt, visible_at, group_id }): [number, FoundMessage] => [
        id,
        {
          number: id,
          token: receipt,
          isInFlight: visible_at > queue.now,
          groupId: group_id,
          visibleAt: visible_at,
        },
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

/** How many messages one transaction of a purge deletes, which takes a few milliseconds. */
const PURGE_STEP = 1_000;

/** Deletes the messages in a queue in steps, so that it does not block others. Messages sent in the meantime stay. */
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
    // Group by group: every group that lost messages must be refreshed.
    .$if(fifo, (of) => of.where('group_id', 'is not', null).orderBy('group_id'))
    .limit(PURGE_STEP)
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
