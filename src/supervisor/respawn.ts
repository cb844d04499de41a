/** When a process that ended by itself is started again, and how its end is put in words: pure decisions. */

/** How a process ended: by an exit code or a signal, or it could not be started at all. */
export type ProcessEnd =
  | { readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly error: Error };

const LONG_RUN_MS = 60_000;
const LONGEST_PAUSE_MS = 60_000;
const SHORTEST_PAUSE_MS = 1_000;
/** How far pauses are spread to either side, so that many processes do not come back together. */
const SPREAD = 0.1;

/**
 * Milliseconds to wait before the next start, after so many short runs in a row (0 or more): none at first.
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

/** Counts the short runs of one process after another. */
export class RespawnBackoff {
  readonly #random: () => number;
  #shortRuns = 0;

  /** `random`: a number from 0 up to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds until the next start, after a run of `ranMs` milliseconds. A run of a minute begins anew. */
  next(ranMs: number): number {
    this.#shortRuns = ranMs >= LONG_RUN_MS ? 0 : this.#shortRuns + 1;
    return respawnPause(this.#shortRuns, this.#random);
  }
}

/** The end of a process in words: `exit code 1`, `killed by SIGKILL`, `it could not be started: spawn EAGAIN`. */
export function describeEnd(end: ProcessEnd): string {
  if ('error' in end) return `it could not be started: ${end.error.message}`;
  return end.signal ? `killed by ${end.signal}` : `exit code ${end.code}`;
}

/** A pause in words: `at once`, `in 2.1 s`. */
export function describePause(milliseconds: number): string {
  return milliseconds === 0 ? 'at once' : `in ${(milliseconds / 1000).toFixed(1)} s`;
}
