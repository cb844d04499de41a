/** Guesses what a misspelled name should have been. */
import { closest, distance } from 'fastest-levenshtein';

/**
 * What to say of a name that is not allowed: the nearest one that is, or all of them if none is near.
 *
 *     suggest('pol', ['poll', 'queue'], 'it takes')    // 'did you mean "poll"?'
 *     suggest('size', ['poll', 'queue'], 'it takes')   // 'it takes poll, queue'
 */
export function suggest(name: string, allowed: readonly string[], otherwise: string): string {
  const lower = name.toLowerCase();
  const nearest = closest(lower, allowed);
  const isNear = distance(lower, nearest) <= Math.ceil(nearest.length / 3);
  return isNear ? `did you mean "${nearest}"?` : `${otherwise} ${allowed.join(', ')}`;
}
