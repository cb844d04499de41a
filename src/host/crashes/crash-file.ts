/**
 * The crash record on disk. Each process has a file that lists the messages it runs, and removes it when it exits
 * cleanly. So a new process can tell which messages were running in processes that crashed:
 * 1. it removes their files (if two processes start at the same time, only one of them can remove each file);
 * 2. it counts one more crash for each message listed there; all processes of the container see the counts.
 *
 * The files survive a crash of the process, but not of the machine: they are not flushed to disk.
 */
import { hash } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import type { CrashRecord } from '../../consumer/run-worker.ts';
import type { Files } from '../files.ts';
import { type Machine, realMachine } from '../host.ts';
import { processStartTime } from '../process-start-time.ts';
import { CrashCounts } from './crash-counts.ts';
import { makeCrashFolder } from './crash-folder.ts';

export interface CrashFileOptions {
  /** Created if missing. Only for processes on one machine that see each other's process IDs. */
  readonly folder: string;
  /** Identifies the container among others in this folder: the absolute path of its ini file. */
  readonly container: string;
  /** How many messages run at the same time. */
  readonly slots: number;
  /** Default: this machine. */
  readonly machine?: Pick<Machine, 'wallClock'>;
  /** Where the record is stored. Default: the real file system. */
  readonly files?: Files;
  /** The process ID of the process that runs the messages. Default: this process's. */
  readonly processId?: number;
  /** When a process started, for comparison only; undefined if there is no such process. Default: asks the system. */
  readonly startTimeOf?: (processId: number) => string | undefined;
}

/** A slot is a line: the key of the running message, or the same number of spaces. */
const FREE_SLOT = `${' '.repeat(43)}\n`;
const KEY = /^[\w-]{43}$/;

/**
 * Counts the crashes of this container's earlier processes, and starts a record for this one.
 *
 * Throws if other users can write to the folder, or if this one cannot. The container should then log a warning and run
 * without a record; it just does not recognize messages that crash the process.
 */
export function openCrashFile({
  folder,
  container,
  slots,
  machine = realMachine,
  files = fs,
  processId = process.pid,
  startTimeOf = processStartTime,
}: CrashFileOptions): CrashFile {
  const name = hash('sha256', container).slice(0, 16);
  const crashCounts = new CrashCounts(folder, `${name}.suspect.`, files);
  const path = join(folder, `${name}.running.${processId}.${startTimeOf(processId)}`);
  // This process has no file yet, so a file with its process ID is from an earlier process, as in Docker containers,
  // where the process ID is always the same. `owner` is PID.START.
  const hasExited = (owner: string) => {
    const [id, start] = owner.split('.');
    return Number(id) === processId || startTimeOf(Number(id)) !== start;
  };
  try {
    makeCrashFolder(folder, files);
    for (const key of takeOver(folder, `${name}.running.`, files, hasExited)) crashCounts.add(key);
    crashCounts.prune(machine.wallClock());
    // Written at full length now, so that it does not matter if the disk fills up later.
    const file = files.openSync(path, 'wx', 0o600);
    files.writeSync(file, FREE_SLOT.repeat(slots));
    return new CrashFile(path, file, crashCounts, files);
  } catch (error) {
    throw new Error(
      `The crash record cannot be kept in ${folder}: ${(error as Error).message}. Expected a folder that belongs to this process's user and that only this user can write to.`,
      { cause: error },
    );
  }
}

/** The record of this process; created by `openCrashFile`. */
export class CrashFile implements CrashRecord {
  readonly #path: string;
  #file: number | undefined;
  readonly #crashCounts: CrashCounts;
  readonly #files: Files;
  /** The slots of the running messages. */
  readonly #running = new Map<string, number>();
  readonly #free: number[] = [];

  constructor(path: string, file: number, crashCounts: CrashCounts, files: Files) {
    this.#path = path;
    this.#file = file;
    this.#crashCounts = crashCounts;
    this.#files = files;
  }

  crashes(queue: string, messageId: string): number {
    return unlessItFails(() => this.#crashCounts.crashes(keyOf(queue, messageId))) ?? 0;
  }

  started(queue: string, messageId: string): void {
    const name = nameOf(queue, messageId);
    if (this.#running.has(name)) return;
    const slot = this.#free.pop() ?? this.#running.size;
    this.#running.set(name, slot);
    this.#write(slot, `${keyOf(queue, messageId)}\n`);
  }

  ended(queue: string, messageId: string): void {
    const name = nameOf(queue, messageId);
    const slot = this.#running.get(name);
    if (slot === undefined) return;
    this.#running.delete(name);
    this.#free.push(slot);
    this.#write(slot, FREE_SLOT);
  }

  forget(queue: string, messageId: string): void {
    unlessItFails(() => this.#crashCounts.forget(keyOf(queue, messageId)));
  }

  /**
   * Closes and removes the record: messages that are still running do not count as crashes. Do not call this after an
   * uncaught exception, because one of the running messages may be its cause.
   */
  close(): void {
    const file = this.#file;
    if (file === undefined) return;
    // A worker may end after this, when another file may already have the same descriptor.
    this.#file = undefined;
    unlessItFails(() => this.#files.rmSync(this.#path, { force: true }));
    this.#files.closeSync(file);
  }

  #write(slot: number, line: string): void {
    const file = this.#file;
    if (file === undefined) return;
    unlessItFails(() => this.#files.writeSync(file, line, slot * FREE_SLOT.length, 'latin1'));
  }
}

/** Removes the files of processes that have exited; returns the keys of the messages they were running. */
function takeOver(
  folder: string,
  prefix: string,
  files: Files,
  hasExited: (owner: string) => boolean,
): string[] {
  return files
    .readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && hasExited(name.slice(prefix.length)))
    .flatMap((name) => {
      const path = join(folder, name);
      return unlessItFails(() => {
        const lines = files.readFileSync(path, 'latin1').split('\n');
        // If several processes start now, this fails in all but one.
        files.unlinkSync(path);
        return lines.filter((line) => KEY.test(line));
      });
    })
    .filter((key) => key !== undefined);
}

/** A key of fixed length that is safe in file names, whatever the ID contains. */
function keyOf(queue: string, messageId: string): string {
  return hash('sha256', nameOf(queue, messageId), 'base64url');
}

/** Enough within this process, and cheaper than a hash for each message. */
function nameOf(queue: string, messageId: string): string {
  return `${queue}\n${messageId}`;
}

/** If the record cannot be read or written, messages are handled all the same. */
function unlessItFails<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
