// File system operations for several processes that work in the same folders.
import { type FSWatcher, renameSync, watch, writeFileSync } from 'node:fs';
import { BrokerError } from 'sqs-containers/broker';

/** Returns the result of `call`, or undefined if a file does not exist: another process was faster. Throws BrokerError. */
export function ifThere<Value>(call: () => Value): Value | undefined {
  try {
    return call();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new BrokerError('unreachable', `The queues cannot be used: ${message}`, { cause });
  }
}

/** Returns false if the file does not exist. If several processes rename the same file, one of them gets true. */
export function rename(from: string, to: string): boolean {
  return ifThere(() => renameSync(from, to) ?? true) ?? false;
}

/** Writes a file that others see only when it is complete. Returns false if its folder does not exist. */
export function writeWhole(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}.draft`;
  return (ifThere(() => writeFileSync(draft, text, { flush: true }) ?? true) ?? false) && rename(draft, path);
}

/** Waits for changes in a folder, by any process. */
export class FolderChanges {
  readonly #watcher: FSWatcher;
  #change = Promise.withResolvers<void>();

  constructor(folder: string) {
    const notice = () => this.#change.resolve();
    this.#watcher = watch(folder, notice).on('error', notice);
  }

  /** Resolves when something has changed since the last call, at the time `until`, or when the signal aborts. */
  async next(until: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = this.#change;
    const end = () => resolve();
    const timer = setTimeout(end, until - Date.now());
    signal.addEventListener('abort', end);
    await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    this.#change = Promise.withResolvers();
  }

  close(): void {
    this.#watcher.close();
  }
}
