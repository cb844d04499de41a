/**
 * Takes messages out of a queue for one receive, in one round: puts the next in flight, and sorts out those that are kept
 * no longer and those that were received too often.
 */
import type { Kysely } from 'kysely';
import type { Message, ReceiveOptions } from '../broker.ts';
import { isFifoName } from '../rules/queue-name.ts';
import type { Database, SqlDialect } from './database.ts';
import { refreshGroups } from './groups.ts';
import { receivedMessage } from './message-row.ts';
import { type QueueNow, selectQueue } from './queue-row.ts';
import type { QueueRow, Tables } from './schema.ts';
import { type SortedOut, sortOut } from './sorting-out.ts';
import { type Taken, takeOfGroups } from './taking.ts';

export interface Claim {
  readonly messages: Message[];
  /** Whether there was none to look at. Otherwise, `messages` may be empty though there are more: when all had to go. */
  readonly isEmpty: boolean;
  /** The queue as it was found; undefined if that is not known, for it was empty or does not exist. */
  readonly queue?: QueueNow;
  /** The dead-letter queue that got some. */
  readonly deadLetterQueue?: string | undefined;
}

const NOTHING: Claim = { messages: [], isEmpty: true };

/** Claims up to `max` of the messages that can be received now. */
export async function claim(database: Database, row: QueueRow, options: ReceiveOptions): Promise<Claim> {
  if (isFifoName(row.name)) {
    return database.claim((tables) => claimOfGroups(tables, database.dialect, row, options));
  }
  const taken = await database.takeAtOnce(row, options);
  if (!taken) return NOTHING;
  // Not in the same transaction: few messages have to go.
  return claimOf(taken, await sortOut(taken, database.dialect, (work) => database.change(work)));
}

/** Of a FIFO queue. */
async function claimOfGroups(
  tables: Kysely<Tables>,
  dialect: SqlDialect,
  { name }: QueueRow,
  options: ReceiveOptions,
): Promise<Claim> {
  const queue = await selectQueue(tables, name, dialect)
    .select(dialect.relaxed.as('relaxed'))
    .executeTakeFirst();
  // The transaction may have been waited for.
  if (!queue || options.signal?.aborted) return NOTHING;
  const taken = await takeOfGroups(tables, queue, options);
  if (!taken) return NOTHING;
  const sorted = await sortOut(taken, dialect, (work) => work(tables));
  const groupIds = taken.rows.map(({ group_id }) => group_id);
  await refreshGroups(tables, queue, groupIds);
  return claimOf(taken, sorted);
}

function claimOf({ queue, receipt }: Taken, { received, deadLetterQueue }: SortedOut): Claim {
  const messages = received.map((row) => receivedMessage(queue, row, receipt));
  return { messages, isEmpty: false, queue, deadLetterQueue };
}
