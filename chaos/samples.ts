/** What a process uses, by how many messages it has handled, and how that grows. */

export interface Sample {
  readonly messages: number;
  /** Bytes, right after a garbage collection. */
  readonly heapUsed: number;
  /** Bytes. */
  readonly rss: number;
  /** Sockets, timers, and all else that the event loop waits for. */
  readonly handles: number;
}

export interface Growth {
  readonly first: number;
  readonly last: number;
  /** For each million messages: the slope of the straight line that fits best. */
  readonly growth: number;
}

/** The share of the samples, from the first on, in which caches fill and code is compiled. */
const WARMING_UP = 0.3;

/** Throws a RangeError if there are too few samples to say. */
export function growthOf(samples: readonly Sample[], of: (sample: Sample) => number): Growth {
  const warm = samples.slice(Math.floor(samples.length * WARMING_UP));
  if (warm.length < 5) throw new RangeError(`${samples.length} samples are too few to see what grows`);
  const mean = (value: (sample: Sample) => number) =>
    warm.reduce((sum, sample) => sum + value(sample), 0) / warm.length;
  const meanMessages = mean(({ messages }) => messages);
  const meanValue = mean(of);
  const covariance = mean((sample) => (sample.messages - meanMessages) * (of(sample) - meanValue));
  const variance = mean(({ messages }) => (messages - meanMessages) ** 2);
  return { first: of(warm[0]!), last: of(warm.at(-1)!), growth: (covariance / variance) * 1e6 };
}
