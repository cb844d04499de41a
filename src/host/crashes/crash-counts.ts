/**
 * Counts how many processes crashed with each message, in files that all processes of a container share: one file for
 * each message, with one byte for each crash.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import type { Files } from '../files.ts';

const MOST_SUSPECTS = 1_000;
/** The longest retention period of SQS: an older message cannot be received again. */
const LONGEST_RETENTION_MS = 14 * 24 * 60 * 60 * 1000;

export class CrashCounts {
  readonly #folder: string;
  readonly #prefix: string;
  readonly #files: Files;

  /** File names are `prefix` followed by the key of the message. */
  constructor(folder: string, prefix: string, files: Files = fs) {
    this.#folder = folder;
    this.#prefix = prefix;
    this.#files = files;
  }

  /** How many processes crashed while they ran the message. */
  crashes(key: string): number {
    return this.#files.statSync(this.#path(key), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Counts another crash. */
  add(key: string): void {
    this.#files.appendFileSync(this.#path(key), '!', { mode: 0o600 });
  }

  forget(key: string): void {
    if (this.crashes(key) > 0) this.#files.rmSync(this.#path(key), { force: true });
  }

  /** Forgets messages that are unlikely to be received again; `now` is in milliseconds since the epoch. */
  prune(now: number): void {
    const suspects = this.#files
      .readdirSync(this.#folder)
      .filter((name) => name.startsWith(this.#prefix))
      .map((name) => {
        const path = join(this.#folder, name);
        return { path, lastCrashAt: this.#files.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
      });
    for (const { path } of outdated(suspects, now)) this.#files.rmSync(path, { force: true });
  }

  #path(key: string): string {
    return join(this.#folder, this.#prefix + key);
  }
}

/**
 * The suspects to forget: those whose last crash was more than 14 days ago and, if more than a thousand remain, the
 * oldest. Times are in milliseconds since the epoch.
 */
export function outdated<Suspect extends { lastCrashAt: number }>(
  suspects: Suspect[],
  now: number,
): Suspect[] {
  return suspects
    .toSorted((one, other) => other.lastCrashAt - one.lastCrashAt)
    .filter(({ lastCrashAt }, index) => index >= MOST_SUSPECTS || now - lastCrashAt > LONGEST_RETENTION_MS);
}
