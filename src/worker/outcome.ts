/** What becomes of a message: the decision, from what its worker did. Nothing here does anything. */
import { isTransientError } from './errors.ts';

/**
 * - `delete`: it is done with
 * - `retry`: it comes back, after `delaySeconds` or, without it, when its visibility timeout ends
 */
export type Outcome =
  | { readonly action: 'delete' }
  | { readonly action: 'retry'; readonly delaySeconds?: number };

/** What to do with a message whose worker threw something other than a TransientError. */
export type OnError = 'delete' | 'retry';

export const handled: Outcome = { action: 'delete' };

/** SQS: the longest visibility timeout. */
const LONGEST_DELAY_SECONDS = 43_200;

/**
 * What a thrown error means.
 *
 *     outcomeOf(new TransientError(), 'delete')                // { action: 'retry' }
 *     outcomeOf(new TransientError({ delay: 5 }), 'delete')    // { action: 'retry', delaySeconds: 5 }
 *     outcomeOf(new Error('no such user'), 'delete')           // { action: 'delete' }
 *     outcomeOf(new Error('no such user'), 'retry')            // { action: 'retry' }
 */
export function outcomeOf(error: unknown, onError: OnError): Outcome {
  if (!isTransientError(error)) return onError === 'delete' ? handled : { action: 'retry' };
  const { delay } = error;
  if (delay === undefined || !Number.isFinite(delay)) return { action: 'retry' };
  return { action: 'retry', delaySeconds: Math.min(Math.max(Math.ceil(delay), 0), LONGEST_DELAY_SECONDS) };
}
