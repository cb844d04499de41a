/**
 * Counts how many processes crashed with each message, in files that all processes of a container share: one file for
 * each message, with one byte for each crash.
 */
import { appendFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MOST_SUSPECTS = 1_000;
/** The longest retention period of SQS: an older message cannot be received again. */
const LONGEST_RETENTION_MS = 14 * 24 * 60 * 60 * 1000;

export class CrashCounts {
  readonly #folder: string;
  readonly #prefix: string;

  /** File names are `prefix` followed by the key of the message. */
  constructor(folder: string, prefix: string) {
    this.#folder = folder;
    this.#prefix = prefix;
  }

  /** How many processes crashed while they ran the message. */
  crashes(key: string): number {
    return statSync(this.#path(key), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Counts another crash. */
  add(key: string): void {
    appendFileSync(this.#path(key), '!', { mode: 0o600 });
  }

  forget(key: string): void {
    if (this.crashes(key) > 0) rmSync(this.#path(key), { force: true });
  }

  /** Forgets messages that are unlikely to be received again; `now` is in milliseconds since the epoch. */
  prune(now: number): void {
    const suspects = readdirSync(this.#folder)
      .filter((name) => name.startsWith(this.#prefix))
      .map((name) => {
        const path = join(this.#folder, name);
        return { path, lastCrashAt: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
      });
    for (const { path } of outdated(suspects, now)) rmSync(path, { force: true });
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
