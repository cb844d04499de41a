/** plainjob on better-sqlite3, used as in its README. Finished jobs stay in the file for a week. */
import Database from 'better-sqlite3';
import { better, defineQueue, defineWorker } from 'plainjob';
import type { OpenQueue } from '../brokers/speed.ts';

const TYPE = 'bench';
/** Its default logger writes several lines for each job. */
const logger = { error: console.error, warn: console.warn, info() {}, debug() {} };

export const openPlainjob: OpenQueue = (address) => open(address);

export const openDurablePlainjob: OpenQueue = (address) =>
  open(address, (database) => database.pragma('synchronous = full'));

async function open(
  address: string,
  prepare: (database: Database.Database) => void = () => {},
): ReturnType<OpenQueue> {
  const database = new Database(address.slice('sqlite:'.length));
  const queue = defineQueue({ connection: better(database), logger });
  prepare(database);
  return {
    // All in one transaction.
    send: async (bodies) => void queue.addMany(TYPE, [...bodies]),
    handle: async (count) => {
      let handled = 0;
      const onCompleted = () => {
        handled += 1;
        if (handled === count) void worker.stop();
      };
      const worker = defineWorker(TYPE, () => {}, { queue, logger, onCompleted });
      await worker.start();
      return handled;
    },
    close: async () => queue.close(),
  };
}
