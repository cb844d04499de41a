/** Puts the messages that come next in flight. */
import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { ReceiveOptions } from '../broker.ts';
import { firstOfGroups } from './groups.ts';
import type { QueueNow } from './queue-row.ts';
import type { MessageRow, Tables } from './schema.ts';

/** Messages that were put in flight, in the order in which they are received. */
export interface Taken {
  readonly queue: QueueNow;
  readonly rows: readonly MessageRow[];
  readonly receipt: string;
}

/** Takes up to `max` messages of a FIFO queue, in a transaction that locks their groups. Undefined if there are none. */
export async function takeOfGroups(
  tables: Kysely<Tables>,
  queue: QueueNow,
  { max, visibilityTimeout = queue.visibility_timeout }: ReceiveOptions,
): Promise<Taken | undefined> {
  const numbers = await firstOfGroups(tables, queue, max);
  if (numbers.length === 0) return undefined;
  const receipt = newReceipt();
  const rows = await tables
    .updateTable('message')
    .set((row) => ({
      receipt,
      receive_count: row('receive_count', '+', 1),
      visible_at: queue.now + visibilityTimeout * 1000,
    }))
    .where('id', 'in', numbers)
    .returningAll()
    .execute();
  return {
    queue,
    rows: rows.sort((one, other) => numbers.indexOf(one.id) - numbers.indexOf(other.id)),
    receipt,
  };
}

/** A token of one receive. */
export function newReceipt(): string {
  return randomBytes(8).toString('hex');
}
