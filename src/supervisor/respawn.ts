/** When to restart a process that exited on its own, and how to describe its exit: pure decisions. */

/** How a process ended: with an exit code, by a signal, or because it could not be started. */
export type ProcessEnd =
  | { readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly error: Error };

const LONG_RUN_MS = 60_000;
const LONGEST_PAUSE_MS = 60_000;
const SHORTEST_PAUSE_MS = 1_000;
/** Jitter of the pauses, as a fraction, so that many processes do not restart at the same moment. */
const SPREAD = 0.1;

/**
 * Milliseconds to wait before the next start, after `shortRuns` short runs in a row (0 or more).
 *
 *     respawnPause(1, () => 0.5)  // 0
 *     respawnPause(2, () => 0.5)  // 1000: between 900 and 1100
 *     respawnPause(3, () => 0.5)  // 2000
 *     respawnPause(99, () => 0.5) // 60000
 */
export function respawnPause(shortRuns: number, random: () => number): number {
  if (shortRuns <= 1) return 0;
  const pause = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** (shortRuns - 2));
  return pause * (1 + SPREAD * (2 * random() - 1));
}

/** Counts short runs in a row, and decides on the pause before the next start. */
export class RespawnBackoff {
  readonly #random: () => number;
  #shortRuns = 0;

  /** `random` returns a number in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds until the next start, after a run of `ranMs` milliseconds. A run of a minute resets the count. */
  next(ranMs: number): number {
    this.#shortRuns = ranMs >= LONG_RUN_MS ? 0 : this.#shortRuns + 1;
    return respawnPause(this.#shortRuns, this.#random);
  }
}

/** Describes how a process ended: `exit code 1`, `killed by SIGKILL`, `could not be started: spawn EAGAIN`. */
export function describeEnd(end: ProcessEnd): string {
  if ('error' in end) return `could not be started: ${end.error.message}`;
  return end.signal ? `killed by ${end.signal}` : `exit code ${end.code}`;
}

/** Describes a pause: `immediately`, `in 2.1 s`. */
export function describePause(milliseconds: number): string {
  return milliseconds === 0 ? 'immediately' : `in ${(milliseconds / 1000).toFixed(1)} s`;
}
