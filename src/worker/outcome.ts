/** Decides a message's outcome from what its worker did. Pure functions; the settler carries the outcome out. */
import { MAX_VISIBILITY_TIMEOUT } from '../brokers/rules/limits.ts';
import { type Backoff, noBackoff } from './backoff.ts';
import { isFailedAttempt, isTransientError } from './errors.ts';

/**
 * - `delete`: delete it
 * - `retry`: make it visible again after `delaySeconds`, or, if that is not set, when its visibility timeout ends
 * - `bury`: move it to the dead-letter queue
 */
export type Outcome =
  | { readonly action: 'delete' }
  | { readonly action: 'retry'; readonly delaySeconds?: number }
  | { readonly action: 'bury' };

/** What to do with a message whose worker threw an error other than a TransientError. */
export type OnError = 'delete' | 'retry' | 'dead_letter';

export interface OutcomePolicy {
  readonly onError: OnError;
  /** How long a retried message waits, if its error has no delay. Default: until its visibility timeout ends. */
  readonly backoff?: Backoff;
}

export const handled: Outcome = { action: 'delete' };
export const buried: Outcome = { action: 'bury' };
/** Returned to the queue: visible immediately. */
export const returned: Outcome = { action: 'retry', delaySeconds: 0 };

/**
 * What a thrown error means for a message received `receiveCount` times.
 *
 *     outcomeOf(new TransientError(), { onError: 'delete' }, 1)                // { action: 'retry' }
 *     outcomeOf(new TransientError({ delay: 5 }), { onError: 'delete' }, 1)    // { action: 'retry', delaySeconds: 5 }
 *     outcomeOf(new Error('no such user'), { onError: 'delete' }, 1)           // { action: 'delete' }
 *     outcomeOf(new Error('no such user'), { onError: 'retry' }, 1)            // { action: 'retry' }
 *     outcomeOf(new Error('no such user'), { onError: 'dead_letter' }, 1)      // { action: 'bury' }
 */
export function outcomeOf(error: unknown, policy: OutcomePolicy, receiveCount: number): Outcome {
  const { onError, backoff = noBackoff } = policy;
  if (isFailedAttempt(error)) return retryAfter(error.delay);
  if (isTransientError(error)) return retryAfter(error.delay ?? backoff(receiveCount));
  if (onError === 'retry') return retryAfter(backoff(receiveCount));
  return onError === 'delete' ? handled : buried;
}

function retryAfter(delay: number | undefined): Outcome {
  if (delay === undefined || !Number.isFinite(delay)) return { action: 'retry' };
  return { action: 'retry', delaySeconds: Math.min(Math.max(Math.ceil(delay), 0), MAX_VISIBILITY_TIMEOUT) };
}
