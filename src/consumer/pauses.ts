/** How long to wait for a receive, and before the next one: after failures, and while a queue is empty. */

/** How much longer than its long poll a receive may take before polling counts as stuck, in seconds. */
export const RECEIVE_MARGIN_SECONDS = 60;

const SHORTEST_MS = 500;
const LONGEST_MS = 10_000;
const SHORTEST_IDLE_MS = 100;
const IDLE_FACTOR = 1.15;

/**
 * Milliseconds to pause after `failures` failures in a row (1 or more). Half is fixed and half is random, so that many
 * processes that lost the same broker do not all return at the same time.
 *
 *     retryPause(1, () => 0.5)   // 375: between 250 and 500
 *     retryPause(3, () => 0.5)   // 1500: between 1000 and 2000
 *     retryPause(99, () => 0.5)  // 7500: never over 10 s
 */
export function retryPause(failures: number, random: () => number): number {
  const longest = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (failures - 1));
  return (longest * (1 + random())) / 2;
}

/**
 * Milliseconds to pause after an empty receive, given the previous pause: a tenth of a second at first, then 1.15 times
 * the previous pause (as in djutils.queue), up to `longestMs`.
 *
 *     nextIdlePause(0, 60_000)         // 100
 *     nextIdlePause(100, 60_000)       // 115
 *     nextIdlePause(59_000, 60_000)    // 60000
 */
export function nextIdlePause(previousMs: number, longestMs: number): number {
  return Math.min(longestMs, Math.max(SHORTEST_IDLE_MS, previousMs * IDLE_FACTOR));
}
