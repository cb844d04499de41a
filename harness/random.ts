/** Random numbers that follow from a seed, so that a simulation or a run of chaos can be repeated. */

/** Like Math.random: each call returns the next number, from 0 to below 1. */
export type Random = () => number;

/** Makes such a function (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number that follows from a text: a seed for what has a name. */
export function seedOf(text: string): number {
  let hash = 0;
  for (const letter of text) hash = (Math.imul(hash, 31) + letter.codePointAt(0)!) | 0;
  return hash;
}

/** A number from `least` to below `most`. */
export function between(least: number, most: number, random: Random): number {
  return least + (most - least) * random();
}

/** A time that is `mean` on average, distributed exponentially, as the times between independent events are. */
export function exponential(mean: number, random: Random): number {
  return -mean * Math.log(1 - random());
}
