/** Chance that can be repeated: what is drawn follows from a seed. */
export { exponential, seeded } from '../bench/scaling/random.ts';

/** A function like Math.random. */
export type Random = () => number;

/** A number from `least` to below `most`. */
export function between(least: number, most: number, random: Random): number {
  return least + (most - least) * random();
}

/** A whole number that follows from a text: a seed for what has a name. */
export function seedOf(text: string): number {
  let hash = 0;
  for (const letter of text) hash = (Math.imul(hash, 31) + letter.codePointAt(0)!) | 0;
  return hash;
}
