/** Guesses the intended name behind a misspelling. */
import { closest, distance } from 'fastest-levenshtein';

/**
 * A hint for an invalid name: the closest allowed name, or all allowed names if none is close.
 *
 *     suggest('pol', ['poll', 'queue'], 'it takes')    // 'did you mean "poll"?'
 *     suggest('size', ['poll', 'queue'], 'it takes')   // 'it takes poll, queue'
 */
export function suggest(name: string, allowed: readonly string[], otherwise: string): string {
  const near = nearName(name, allowed);
  return near === undefined ? `${otherwise} ${allowed.join(', ')}` : `did you mean "${near}"?`;
}

/** The name that was probably meant; undefined if none is close. */
export function nearName(name: string, allowed: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const nearest = closest(lower, allowed);
  return distance(lower, nearest) <= Math.ceil(nearest.length / 3) ? nearest : undefined;
}
