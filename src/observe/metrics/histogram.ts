/** A histogram of durations: cheap to count and to add up over processes, and precise enough for a median. */

/** The upper bounds of the buckets in seconds: six for each power of ten, from a tenth of a millisecond to 20 days. */
export const BOUNDS: readonly number[] = bounds(-4, 6, [1, 1.5, 2, 3, 5, 7]);

/** A count for each bound, a last one for longer durations, and the sum of all durations. */
export interface HistogramCounts {
  readonly counts: readonly number[];
  /** In seconds. */
  readonly sum: number;
}

export class Histogram {
  readonly #counts = new Array<number>(BOUNDS.length + 1).fill(0);
  #sum = 0;

  /** Counts a duration in seconds. */
  add(seconds: number): void {
    this.#sum += seconds;
    const bucket = bucketOf(seconds);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  get counts(): HistogramCounts {
    return { counts: [...this.#counts], sum: this.#sum };
  }
}

export function countOf({ counts }: HistogramCounts): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Adds two histograms. */
export function sumOf(one: HistogramCounts, other: HistogramCounts): HistogramCounts {
  return {
    counts: one.counts.map((count, index) => count + (other.counts[index] ?? 0)),
    sum: one.sum + other.sum,
  };
}

/**
 * The duration, in seconds, that this share of the counted durations does not exceed: 0.5 for the median. Interpolates
 * within a bucket; undefined if nothing was counted.
 *
 *     quantile({ counts: [0, 10, 0, …], sum: 0.0012 }, 0.5)  // 0.000125: in the middle of 0.0001 to 0.00015
 */
export function quantile(histogram: HistogramCounts, share: number): number | undefined {
  const wanted = countOf(histogram) * share;
  let before = 0;
  for (const [bucket, count] of histogram.counts.entries()) {
    if (count > 0 && before + count >= wanted) {
      const from = BOUNDS[bucket - 1] ?? 0;
      const to = BOUNDS[bucket] ?? from;
      return from + ((wanted - before) / count) * (to - from);
    }
    before += count;
  }
  return undefined;
}

/** The first bucket whose bound is not exceeded, by binary search. */
function bucketOf(seconds: number): number {
  let low = 0;
  let high = BOUNDS.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (seconds <= BOUNDS[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

function bounds(fromPower: number, toPower: number, steps: readonly number[]): number[] {
  const powers = Array.from({ length: toPower - fromPower + 1 }, (_, index) => fromPower + index);
  // Via text, because 1.5 * 10 ** -4 is 0.00015000000000000001.
  return powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`)));
}
