/** Random numbers that are the same in each run, so that a simulation can be repeated. */

/** Makes a function like Math.random: each call gives the next number from 0 to below 1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A time that is `mean` on average and as uneven as chance makes it: the exponential distribution. */
export function exponential(mean: number, random: () => number): number {
  return -mean * Math.log(1 - random());
}
