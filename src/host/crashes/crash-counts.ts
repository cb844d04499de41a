/**
 * How often processes ended with each message, as files that all processes of a container share: one for each message, as
 * many bytes long as there were crashes.
 */
import { appendFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MOST_SUSPECTS = 1_000;
/** The longest that SQS keeps a message: a suspect that is older cannot come again. */
const LONGEST_RETENTION_MS = 14 * 24 * 60 * 60 * 1000;

export class CrashCounts {
  readonly #folder: string;
  readonly #prefix: string;

  /** The names of the files begin with `prefix`, and go on with the key of the message. */
  constructor(folder: string, prefix: string) {
    this.#folder = folder;
    this.#prefix = prefix;
  }

  /** How many processes ended while they ran the message. */
  crashes(key: string): number {
    return statSync(this.#path(key), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** One more process ended. */
  add(key: string): void {
    appendFileSync(this.#path(key), '!', { mode: 0o600 });
  }

  forget(key: string): void {
    if (this.crashes(key) > 0) rmSync(this.#path(key), { force: true });
  }

  /** Forgets those that can hardly come again; `now` in milliseconds since the epoch. */
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
 * Which of the suspects to forget: those whose last crash is 14 days ago, and, beyond a thousand, the oldest. Times are
 * in milliseconds, since the epoch.
 */
export function outdated<Suspect extends { lastCrashAt: number }>(
  suspects: Suspect[],
  now: number,
): Suspect[] {
  return suspects
    .toSorted((one, other) => other.lastCrashAt - one.lastCrashAt)
    .filter(({ lastCrashAt }, index) => index >= MOST_SUSPECTS || now - lastCrashAt > LONGEST_RETENTION_MS);
}
