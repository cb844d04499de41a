/**
 * Measures what is compared in turn and in several rounds, so that what else the machine does meets all of it; the median
 * counts.
 */

export const ROUNDS = 3;

/** The results of each of the names, round after round. */
export async function inRounds<Name, Result>(
  names: readonly Name[],
  measure: (name: Name) => Promise<Result>,
): Promise<Map<Name, Result[]>> {
  const results = new Map<Name, Result[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) results.get(name)?.push(await measure(name));
  }
  return results;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
