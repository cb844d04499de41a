/**
 * Detects writes to a SQLite file by other processes: through changes of its write-ahead log (the `-wal` file), and by
 * polling five times a second, for file systems that do not report changes.
 */
import { type FSWatcher, watch } from 'node:fs';
import type { Machine, Timer } from '../../../host/host.ts';

const LOOK_EVERY_MS = 200;
/** A commit is visible some time after the log has changed: when it has reached the disk. */
const FIRST_LOOK_MS = 2;
const LAST_LOOK_MS = 32;

/** Calls `changed` when the file at `path` changes, until the returned function is called. Never calls it synchronously. */
export type WatchFile = (path: string, changed: () => void) => () => void;

/**
 * Creates the `watch` function of a Database. `version` returns a number that changes when another process commits (SQLite's
 * `data_version`).
 */
export function commitWatch(
  path: string,
  version: () => number,
  machine: Machine,
  watchFile: WatchFile,
): (changed: () => void) => () => void {
  let seen = version();
  const currentVersion = () => {
    try {
      return version();
    } catch {
      // Queries on the tables now fail with the same error, and report it.
      return Number.NaN;
    }
  };
  return (changed) => {
    let pause = FIRST_LOOK_MS;
    let timer: Timer | undefined;
    const look = () => {
      const current = currentVersion();
      if (current === seen) return false;
      seen = current;
      changed();
      return true;
    };
    const lookSoon = () => {
      timer ??= machine.setTimeout(() => {
        timer = undefined;
        if (look() || pause === LAST_LOOK_MS) return;
        pause *= 2;
        lookSoon();
      }, pause);
    };
    const stopListening = watchFile(`${path}-wal`, () => {
      pause = FIRST_LOOK_MS;
      lookSoon();
    });
    const interval = machine.setInterval(look, LOOK_EVERY_MS);
    // For writes from before the watch began.
    lookSoon();
    return () => {
      machine.clearInterval(interval);
      machine.clearTimeout(timer);
      stopListening();
    };
  };
}

/** If the system cannot watch the file (too many watches, some network file systems), only the polling remains. */
export const systemWatch: WatchFile = (path, changed) => {
  let watcher: FSWatcher | undefined;
  const stop = () => watcher?.close();
  try {
    watcher = watch(path, changed);
    watcher.on('error', stop);
  } catch {}
  return stop;
};
