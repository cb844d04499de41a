/**
 * Notices what other processes write to a SQLite file: by the changes of its log of writes (the `-wal` file), and five
 * times a second in any case, for file systems that do not tell.
 */
import { type FSWatcher, watch } from 'node:fs';

const LOOK_EVERY_MS = 200;
/** A commit shows some time after the log has changed: when it has reached the disk. */
const FIRST_LOOK_MS = 2;
const LAST_LOOK_MS = 32;

/**
 * Makes the `watch` of a Database. `version` gives a number that another process's commit changes (SQLite's
 * `data_version`).
 */
export function commitWatch(path: string, version: () => number): (changed: () => void) => () => void {
  let seen = version();
  const currentVersion = () => {
    try {
      return version();
    } catch {
      // Whoever looks at the tables now meets the same error, and can report it.
      return Number.NaN;
    }
  };
  return (changed) => {
    let pause = FIRST_LOOK_MS;
    let timer: NodeJS.Timeout | undefined;
    const look = () => {
      const current = currentVersion();
      if (current === seen) return false;
      seen = current;
      changed();
      return true;
    };
    const lookSoon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (look() || pause === LAST_LOOK_MS) return;
        pause *= 2;
        lookSoon();
      }, pause);
    };
    const stopListening = onLogChange(path, () => {
      pause = FIRST_LOOK_MS;
      lookSoon();
    });
    const interval = setInterval(look, LOOK_EVERY_MS);
    // For what was written before the watch began.
    lookSoon();
    return () => {
      clearInterval(interval);
      clearTimeout(timer);
      stopListening();
    };
  };
}

/** Where the system cannot watch (too many watches, some network file systems), the regular look has to do. */
function onLogChange(path: string, changed: () => void): () => void {
  let watcher: FSWatcher | undefined;
  const stop = () => watcher?.close();
  try {
    watcher = watch(`${path}-wal`, changed);
    watcher.on('error', stop);
  } catch {}
  return stop;
}
