/** Repeats measurements and summarizes the values. */

export const ROUNDS = 3;

/**
 * Measures all candidates in turn, for several rounds, so that other load on the machine affects all of them equally.
 * Resolves to the results by name, in the order of the rounds.
 */
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

/** NaN if there are no values. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/**
 * The value that this share of the values does not exceed; NaN if there are no values:
 *
 *     percentile([5, 1, 2, 4, 3], 0.5) // 3
 *     percentile([5, 1, 2, 4, 3], 0.99) // 5
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/**
 * The slope of the line that best fits the points (least squares):
 *
 *     slope([[0, 1], [1, 3], [2, 5]]) // 2
 */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (value: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + value(point), 0) / points.length;
  const meanX = mean(([x]) => x);
  const meanY = mean(([, y]) => y);
  const covariance = mean(([x, y]) => (x - meanX) * (y - meanY));
  const variance = mean(([x]) => (x - meanX) ** 2);
  return covariance / variance;
}
