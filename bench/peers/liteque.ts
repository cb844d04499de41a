/** liteque on better-sqlite3, used as in its README. It receives messages one by one. */
import { buildDBClient, Runner, SqliteQueue } from 'liteque';
import type { OpenQueue } from '../brokers/speed.ts';

interface Job {
  readonly body: string;
}

export const openLiteque: OpenQueue = async (address) => {
  const database = buildDBClient(address.slice('sqlite:'.length), { runMigrations: true });
  // liteque passes better-sqlite3 an async function as a transaction. Since 11.10 this is an error; before, the
  // transaction ended before the function's first statement, so each statement was its own transaction.
  Object.assign(database, { transaction: (work: (tables: typeof database) => unknown) => work(database) });
  const options = { defaultJobArgs: { numRetries: 2 }, keepFailedJobs: false };
  const queue = new SqliteQueue<Job>('bench', database, options);
  return {
    send: async (bodies) => {
      for (const body of bodies) await queue.enqueue({ body });
    },
    handle: async () => {
      let handled = 0;
      const run = async () => {
        handled += 1;
      };
      const runner = new Runner(queue, { run }, { concurrency: 1, pollIntervalMs: 1, timeoutSecs: 60 });
      await runner.runUntilEmpty();
      return handled;
    },
    close: async () => {},
  };
};
