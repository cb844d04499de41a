/**
 * The transactions of a SQLite file. Changes from the same turn of the event loop share a transaction, and so one wait for
 * the disk; none resolves before the transaction is committed. If one fails, each runs again in its own transaction.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Kysely, Transaction } from 'kysely';
import { type Machine, realMachine } from '../../../host/host.ts';
import type { Tables } from '../schema.ts';

/** Whether a commit waits for the disk (`full`), which halves the throughput, or not (`normal`), in SQLite's terms. */
export type Synchronous = 'full' | 'normal';

interface Change {
  readonly synchronous: Synchronous;
  /** Makes the change. Returns a function that resolves the caller's promise, to be called after the commit. */
  readonly make: (tables: Transaction<Tables>) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

/** A limit, because during a transaction other processes wait for the lock, and this process does nothing else. */
const CHANGES_AT_ONCE = 20;

export class SharedTransactions {
  readonly #connection: DatabaseSync;
  readonly #tables: Kysely<Tables>;
  readonly #machine: Pick<Machine, 'nextTurn'>;
  readonly #waiting: Change[] = [];
  #synchronous: Synchronous | undefined;
  #isCommitting = false;

  /** `tables` is Kysely on `connection`. Nothing else may begin transactions on this connection. */
  constructor(
    connection: DatabaseSync,
    tables: Kysely<Tables>,
    machine: Pick<Machine, 'nextTurn'> = realMachine,
  ) {
    this.#connection = connection;
    this.#tables = tables;
    this.#machine = machine;
  }

  /**
   * Runs `work` in a transaction, and resolves with its result after the commit. `work` runs a second time if another change
   * in the same transaction fails.
   */
  run<Result>(
    synchronous: Synchronous,
    work: (tables: Transaction<Tables>) => Promise<Result>,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const make = async (tables: Transaction<Tables>) => {
        const result = await work(tables);
        return () => resolve(result);
      };
      this.#waiting.push({ synchronous, make, reject });
      if (this.#waiting.length === 1) this.#commitSoon();
    });
  }

  /**
   * Waits for a turn of the event loop. SQLite's lock has no queue: a busy process that took it again immediately would
   * starve other processes, and its own timers.
   */
  #commitSoon(): void {
    if (!this.#isCommitting) this.#machine.nextTurn(() => this.#commitNext());
  }

  async #commitNext(): Promise<void> {
    this.#isCommitting = true;
    await this.#commit(this.#waiting.splice(0, CHANGES_AT_ONCE));
    this.#isCommitting = false;
    if (this.#waiting.length > 0) this.#commitSoon();
  }

  async #commit(changes: readonly Change[]): Promise<void> {
    let isMaking = false;
    try {
      this.#setSynchronous(changes.some(({ synchronous }) => synchronous === 'full') ? 'full' : 'normal');
      const answers = await this.#tables.transaction().execute(async (tables) => {
        isMaking = true;
        const made: (() => void)[] = [];
        for (const { make } of changes) made.push(await make(tables));
        isMaking = false;
        return made;
      });
      for (const answer of answers) answer();
    } catch (error) {
      if (isMaking && changes.length > 1) for (const change of changes) await this.#commit([change]);
      else for (const { reject } of changes) reject(error);
    }
  }

  #setSynchronous(synchronous: Synchronous): void {
    if (this.#synchronous === synchronous) return;
    this.#connection.exec(`pragma synchronous = ${synchronous}`);
    this.#synchronous = synchronous;
  }
}
