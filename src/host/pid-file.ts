/**
 * A file with the ID of the running process, so that it runs only once and can be found. The second line is the start
 * time of that process, because its ID may have been reused by another process.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { processStartTime } from './process-start-time.ts';

/** A pid file is held by another process, or cannot be read or written. The message says how to fix that. */
export class PidFileError extends Error {
  override readonly name = 'PidFileError';
}

/** The process that holds a pid file. */
export interface PidFileHolder {
  readonly pid: number;
  /** From `processStartTime`; empty in a file written by another program. */
  readonly start: string;
}

/** How often to try again if another process claims or removes the file at the same time. */
const TRIES = 5;

/**
 * Writes the ID of this process to a file; returns a function that removes the file. Replaces a file whose process has
 * exited. Throws PidFileError if that process is running, or if the file cannot be written.
 */
export function claimPidFile(path: string): () => void {
  const text = `${process.pid}\n${processStartTime(process.pid)}\n`;
  const own = `${path}.${process.pid}`;
  try {
    // Creating a link is atomic: no process ever sees an empty file.
    rmSync(own, { force: true });
    // 'wx' fails if another user has put a symbolic link there, in a folder that others can write to.
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
 * The process that holds a pid file; undefined if there is no file, or if its process has exited.
 * Throws PidFileError if the file cannot be read, or is not a pid file.
 */
export function pidFileHolder(path: string): PidFileHolder | undefined {
  const text = textOf(path);
  if (text === undefined) return undefined;
  const [, pid, start = ''] = /^([1-9]\d{0,9})\n?(\w{0,40})\s*$/.exec(text) ?? [];
  if (pid === undefined) {
    throw new PidFileError(`${path} is not a pid file: it does not contain a process ID; use another file`);
  }
  const holder = { pid: Number(pid), start };
  return isRunning(holder) ? holder : undefined;
}

/** Whether that very process is running. One with our own process ID ran before us, as happens in Docker containers. */
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
        `${path} is held by process ${holder.pid}, which is running: stop it first, or use another file`,
      );
    removeStale(path, `${own}.stale`);
  }
}

/** If several processes try this, only one can rename the file. If it gets another's new file, it puts that back. */
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
