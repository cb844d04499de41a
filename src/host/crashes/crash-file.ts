/**
 * The crash record on disk. Each process has a file with the messages that it runs, and removes it when it ends in
 * order. So a process that starts knows what the dead ones before it were running:
 * 1. it removes their files (of two that start at once, only one can remove each),
 * 2. and whatever was running there is a suspect with one crash more, which all processes of the container see.
 *
 * The files survive the death of a process, not that of the machine: nothing is flushed to the disk.
 */
import { hash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashRecord } from '../../consumer/run-worker.ts';
import { type Machine, realMachine } from '../host.ts';
import { processStartTime } from '../process-start-time.ts';
import { CrashCounts } from './crash-counts.ts';
import { makeCrashFolder } from './crash-folder.ts';

export interface CrashFileOptions {
  /** Made if it is missing. It serves the processes of one machine only, those that see each other's process ids. */
  readonly folder: string;
  /** What tells the container from others of this folder: the absolute path of its ini file. */
  readonly container: string;
  /** How many messages run at once. */
  readonly slots: number;
  /** Default: this machine. */
  readonly machine?: Pick<Machine, 'wallClock'>;
}

/** A slot is a line: the key of the message that runs, or as many blanks. */
const FREE_SLOT = `${' '.repeat(43)}\n`;
const KEY = /^[\w-]{43}$/;

/**
 * Takes over from the processes of this container that ended, and begins a record for this one.
 *
 * Throws if the folder is not this user's alone, or cannot be written to. A container then does well to log a warning
 * and to go on without: it is only that messages that end the process are not recognised.
 */
export function openCrashFile({
  folder,
  container,
  slots,
  machine = realMachine,
}: CrashFileOptions): CrashFile {
  const name = hash('sha256', container).slice(0, 16);
  const crashCounts = new CrashCounts(folder, `${name}.suspect.`);
  const path = join(folder, `${name}.running.${process.pid}.${processStartTime(process.pid)}`);
  try {
    makeCrashFolder(folder);
    for (const key of takeOver(folder, `${name}.running.`)) crashCounts.add(key);
    crashCounts.prune(machine.wallClock());
    // Written as a whole, so that a disk that fills up later does not matter.
    const file = openSync(path, 'wx', 0o600);
    writeSync(file, FREE_SLOT.repeat(slots));
    return new CrashFile(path, file, crashCounts);
  } catch (error) {
    throw new Error(
      `The crash record cannot be kept in ${folder}: ${(error as Error).message}. Expected a folder that belongs to the user of this process, who alone may write to it.`,
      { cause: error },
    );
  }
}

/** The record of this process; made by `openCrashFile`. */
export class CrashFile implements CrashRecord {
  readonly #path: string;
  #file: number | undefined;
  readonly #crashCounts: CrashCounts;
  /** The slots of the messages that run. */
  readonly #running = new Map<string, number>();
  readonly #free: number[] = [];

  constructor(path: string, file: number, crashCounts: CrashCounts) {
    this.#path = path;
    this.#file = file;
    this.#crashCounts = crashCounts;
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
   * Ends the record: nothing that still runs is a suspect. Not for a process that ends because of an error that nobody
   * caught: whatever runs then may be its cause.
   */
  close(): void {
    const file = this.#file;
    if (file === undefined) return;
    // Another file may get the same number, and a worker may end after this.
    this.#file = undefined;
    unlessItFails(() => rmSync(this.#path, { force: true }));
    closeSync(file);
  }

  #write(slot: number, line: string): void {
    const file = this.#file;
    if (file === undefined) return;
    unlessItFails(() => writeSync(file, line, slot * FREE_SLOT.length, 'latin1'));
  }
}

/** Removes the files of processes that have ended; returns the keys of what they were running. */
function takeOver(folder: string, prefix: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && hasEnded(name.slice(prefix.length)))
    .flatMap((name) => {
      const path = join(folder, name);
      return unlessItFails(() => {
        const lines = readFileSync(path, 'latin1').split('\n');
        // Fails for all but one of the processes that start now.
        unlinkSync(path);
        return lines.filter((line) => KEY.test(line));
      });
    })
    .filter((key) => key !== undefined);
}

/**
 * `owner` is PID.START. This process has no file yet: one with its process id is from a process before it, as in
 * (Docker's) containers, where the process id is always the same.
 */
function hasEnded(owner: string): boolean {
  const [pid, start] = owner.split('.');
  return Number(pid) === process.pid || processStartTime(Number(pid)) !== start;
}

/** Of the same length for all, and safe in names of files, whatever is in the id. */
function keyOf(queue: string, messageId: string): string {
  return hash('sha256', nameOf(queue, messageId), 'base64url');
}

/** Enough for this process, where a hash would be one more for each message. */
function nameOf(queue: string, messageId: string): string {
  return `${queue}\n${messageId}`;
}

/** Handling messages goes on when the record cannot be read or written. */
function unlessItFails<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
