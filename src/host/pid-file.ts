/**
 * A file with the id of the process that runs, so that it is there once only, and can be found. The second line is when
 * that process started: a process id alone may be that of another process by now.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { processStartTime } from './process-start-time.ts';

/** A pid file is held by another process, or cannot be read or written. The message says what would help. */
export class PidFileError extends Error {
  override readonly name = 'PidFileError';
}

/** Who holds a pid file. */
export interface PidFileHolder {
  readonly pid: number;
  /** As `processStartTime` has it; empty in a file that another program has written. */
  readonly start: string;
}

/** How often a file that another process takes or leaves meanwhile is looked at again. */
const TRIES = 5;

/**
 * Writes the id of this process to a file; returns what removes it again. A file whose process has ended is replaced.
 * Throws PidFileError if its process runs, or if the file cannot be written.
 */
export function claimPidFile(path: string): () => void {
  const text = `${process.pid}\n${processStartTime(process.pid)}\n`;
  const own = `${path}.${process.pid}`;
  try {
    // A link is made as a whole or not at all: nobody sees an empty file.
    rmSync(own, { force: true });
    // Fails for a symbolic link that somebody else has put there, where others may write.
    writeFileSync(own, text, { flag: 'wx', mode: 0o644 });
    try {
      claim(path, own);
    } finally {
      rmSync(own, { force: true });
    }
  } catch (error) {
    if (error instanceof PidFileError) throw error;
    throw new PidFileError(`The pid file ${path} cannot be written: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return () => {
    if (textOf(path) === text) rmSync(path, { force: true });
  };
}

/**
 * The process that holds a pid file; undefined if none does: there is no file, or its process has ended.
 * Throws PidFileError if the file cannot be read, or is no pid file.
 */
export function pidFileHolder(path: string): PidFileHolder | undefined {
  const text = textOf(path);
  if (text === undefined) return undefined;
  const [, pid, start = ''] = /^([1-9]\d{0,9})\n?(\w{0,40})\s*$/.exec(text) ?? [];
  if (pid === undefined) {
    throw new PidFileError(`${path} is no pid file: expected the id of a process in it; name another file`);
  }
  const holder = { pid: Number(pid), start };
  return isRunning(holder) ? holder : undefined;
}

/** Whether that very process runs. One with the id of this process is from before it, as in Docker's containers. */
export function isRunning({ pid, start }: PidFileHolder): boolean {
  const now = processStartTime(pid);
  return pid !== process.pid && now !== undefined && (start === '' || start === now);
}

function claim(path: string, own: string): void {
  for (let tries = 1; ; tries += 1) {
    try {
      linkSync(own, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === TRIES) throw error;
    }
    const holder = pidFileHolder(path);
    if (holder)
      throw new PidFileError(
        `${path} is held by process ${holder.pid}, which runs: end it first, or name another file`,
      );
    removeStale(path, `${own}.stale`);
  }
}

/** Of several processes that do so at once, only one can rename the file; it may get the new one of another, though. */
function removeStale(path: string, elsewhere: string): void {
  try {
    renameSync(path, elsewhere);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (pidFileHolder(elsewhere)) linkSync(elsewhere, path);
  rmSync(elsewhere, { force: true });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PidFileError(`The pid file ${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
