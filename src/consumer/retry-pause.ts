/** How long to wait before a broker is asked again after failures: exponential, bounded, with jitter. */

const SHORTEST_MS = 500;
const LONGEST_MS = 10_000;

/**
 * Milliseconds to pause after `failures` failures in a row (1 or more): half of it fixed, half random, so that many
 * processes that lost the same broker do not come back together.
 *
 *     retryPause(1, () => 0.5)   // 375: between 250 and 500
 *     retryPause(3, () => 0.5)   // 1500: between 1000 and 2000
 *     retryPause(99, () => 0.5)  // 7500: never over 10 s
 */
export function retryPause(failures: number, random: () => number = Math.random): number {
  const longest = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (failures - 1));
  return (longest * (1 + random())) / 2;
}
