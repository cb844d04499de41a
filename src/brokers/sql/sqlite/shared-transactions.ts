/**
 * The transactions of a SQLite file. Changes that are asked for in the same turn of the event loop share one, and so the
 * wait for the disk; none is answered before all are committed. If one fails, each gets a transaction of its own.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Kysely, Transaction } from 'kysely';
import type { Tables } from '../schema.ts';

/** Whether a commit waits for the disk (`full`), which halves the rate, or not (`normal`): SQLite's words. */
export type Synchronous = 'full' | 'normal';

interface Change {
  readonly synchronous: Synchronous;
  /** Makes the change. What it returns answers who asked for it. */
  readonly make: (tables: Transaction<Tables>) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

/** Other processes wait for the lock meanwhile, and this one for everything else. */
const CHANGES_AT_ONCE = 20;

export class SharedTransactions {
  readonly #connection: DatabaseSync;
  readonly #tables: Kysely<Tables>;
  readonly #waiting: Change[] = [];
  #synchronous: Synchronous | undefined;
  #isCommitting = false;

  /** `tables` is Kysely on `connection`, on which nobody else begins transactions. */
  constructor(connection: DatabaseSync, tables: Kysely<Tables>) {
    this.#connection = connection;
    this.#tables = tables;
  }

  /**
   * Runs `work` in a transaction, and resolves with its result when that is committed. It runs a second time if another
   * that shares the transaction fails.
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
   * SQLite's lock has no line of those who wait for it: a busy process that took it again at once would leave it to no
   * other, and not come to its own timers.
   */
  #commitSoon(): void {
    if (!this.#isCommitting) setImmediate(() => this.#commitNext());
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
