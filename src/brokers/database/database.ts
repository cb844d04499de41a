/** What the broker asks of a database: the part that differs from one database to the other. Failures are BrokerErrors. */
import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './schema.ts';

export interface Database {
  /** For people, such as `sqlite:/var/lib/worker/queues.db`. */
  readonly description: string;
  read<Result>(work: (tables: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /** Runs `work` in a transaction that excludes those of all other processes. When it resolves, what was done will last. */
  change<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** The same for receiving: after a loss of power, messages may be visible again as if nobody had received them. */
  claim<Result>(work: (tables: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** The clock that all processes share: milliseconds since the epoch. */
  now(): number;
  /** Calls `changed` when other processes may have changed something, until the returned function is called. */
  watch(changed: () => void): () => void;
  /** Lets what is under way end, and closes the connection. */
  close(): Promise<void>;
}
