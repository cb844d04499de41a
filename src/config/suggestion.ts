/** Guesses what a misspelled name should have been. */
import { closest, distance } from 'fastest-levenshtein';

/**
 * What to say of a name that is not allowed: the nearest one that is, or all of them if none is near.
 *
 *     suggest('pol', ['poll', 'queue'], 'it takes')    // 'did you mean "poll"?'
 *     suggest('size', ['poll', 'queue'], 'it takes')   // 'it takes poll, queue'
 */
export function suggest(name: string, allowed: readonly string[], otherwise: string): string {
  const near = nearName(name, allowed);
  return near === undefined ? `${otherwise} ${allowed.join(', ')}` : `did you mean "${near}"?`;
}

/** The name that was probably meant, if one is near. */
export function nearName(name: string, allowed: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const nearest = closest(lower, allowed);
  return distance(lower, nearest) <= Math.ceil(nearest.length / 3) ? nearest : undefined;
}
