/**
 * Puts the messages of a standard queue that come next in flight, by statements that are prepared once: to build and
 * compile them for each receive would take longer than to run them.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ReceiveOptions } from '../../broker.ts';
import type { MessageRow, QueueRow } from '../schema.ts';
import { newReceipt, type Taken } from '../taking.ts';

export class Taking {
  readonly #queue: StatementSync;
  readonly #next: StatementSync;
  readonly #take: StatementSync;

  /** `connection` has the tables. */
  constructor(connection: DatabaseSync) {
    this.#queue = connection.prepare('select * from queue where name = ?');
    this.#next = connection.prepare(
      'select id from message where queue_id = ? and visible_at <= ? order by visible_at, id limit ?',
    );
    this.#take = connection.prepare(
      'update message set receipt = ?, receive_count = receive_count + 1, visible_at = ? where id in (select value from json_each(?)) returning *',
    );
  }

  /**
   * Takes up to `max` messages, those first that could be received the longest. To be called in a transaction. Undefined
   * if there are none, or no such queue, or if nobody waits for them any more.
   */
  take(name: string, { max, visibilityTimeout, signal }: ReceiveOptions): Taken | undefined {
    // The transaction may have been waited for.
    if (signal?.aborted) return undefined;
    const queue = this.#queue.get(name) as QueueRow | undefined;
    if (!queue) return undefined;
    const now = Date.now();
    const next = this.#next.all(queue.id, now, max).map(({ id }) => Number(id));
    if (next.length === 0) return undefined;
    const receipt = newReceipt();
    const visibleAt = now + 1000 * (visibilityTimeout ?? queue.visibility_timeout);
    const rows = this.#take.all(receipt, visibleAt, JSON.stringify(next)) as unknown as MessageRow[];
    rows.sort((one, other) => next.indexOf(one.id) - next.indexOf(other.id));
    return { queue: { ...queue, now }, rows, receipt };
  }
}
