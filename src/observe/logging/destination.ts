/**
 * The destination of log lines: standard output, standard error, or a file. `write` is synchronous, so that no line is
 * lost when the process exits, and so that the caller learns about a failure.
 */
import { closeSync, fstatSync, openSync, writeSync } from 'node:fs';

const STANDARD = new Map([
  ['STDOUT', 1],
  ['STDERR', 2],
]);
/** Bodies may contain personal data: only owner and group can read a log. */
export const LOG_FILE_MODE = 0o640;
/** The syslog priorities that systemd uses (sd-daemon(3)). */
const PRIORITIES: Readonly<Record<string, number>> = { error: 3, warn: 4, info: 6, debug: 7 };
/** How long to wait for the reader of a full pipe before trying again, in milliseconds. */
const FULL_PIPE_PAUSE_MS = 5;

export class Destination {
  readonly path: string;
  #descriptor: number;
  /** A write was cut short: the next line must start on a new line. */
  #cutShort = false;

  /** Opens `STDOUT`, `STDERR` or a file, which is created if necessary and appended to. Throws the system's error. */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openPath(path);
  }

  /** True if systemd's journal reads this destination, line by line. */
  isJournal(environment: NodeJS.ProcessEnv): boolean {
    if (!STANDARD.has(this.path) || !environment.JOURNAL_STREAM) return false;
    try {
      const { dev, ino } = fstatSync(this.#descriptor);
      return environment.JOURNAL_STREAM === `${dev}:${ino}`;
    } catch {
      // The standard stream is closed.
      return false;
    }
  }

  /** Writes a text and a line break. Throws the system's error, such as that of a full disk. */
  write(text: string): void {
    const bytes = Buffer.from(`${this.#cutShort ? '\n' : ''}${text}\n`);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSome(this.#descriptor, bytes, written);
    } finally {
      this.#cutShort = written < bytes.length && (written > 0 || this.#cutShort);
    }
  }

  /** Reopens the file, which log rotation has renamed. If that fails, throws, and continues with the old file. */
  reopen(): void {
    if (STANDARD.has(this.path)) return;
    const descriptor = openPath(this.path);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#cutShort = false;
  }

  close(): void {
    if (!STANDARD.has(this.path)) closeSync(this.#descriptor);
  }
}

/**
 * Puts the priority of a level before each line of a text, because the journal makes an entry from each line.
 *
 *     withPriority('one\ntwo', 'error') // '<3>one\n<3>two'
 */
export function withPriority(text: string, level: string): string {
  return text.replace(/^/gm, `<${PRIORITIES[level] ?? PRIORITIES.info}>`);
}

function openPath(path: string): number {
  return STANDARD.get(path) ?? openSync(path, 'a', LOG_FILE_MODE);
}

function writeSome(descriptor: number, bytes: Buffer, offset: number): number {
  try {
    return writeSync(descriptor, bytes, offset);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_PAUSE_MS);
    return 0;
  }
}
