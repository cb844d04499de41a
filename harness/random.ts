/** Seeded random numbers, so that a simulation or a chaos run can be repeated. */

/** Like Math.random: each call returns the next number, at least 0 and below 1. */
export type Random = () => number;

/** Creates a random number generator (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Hashes a text to a whole number, to derive a seed from a name. */
export function seedOf(text: string): number {
  let hash = 0;
  for (const letter of text) hash = (Math.imul(hash, 31) + letter.codePointAt(0)!) | 0;
  return hash;
}

/** A number of at least `least` and below `most`. */
export function between(least: number, most: number, random: Random): number {
  return least + (most - least) * random();
}

/** An exponentially distributed time with this mean, like the times between independent events. */
export function exponential(mean: number, random: Random): number {
  return -mean * Math.log(1 - random());
}
