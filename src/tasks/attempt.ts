/** What a handler's errors mean: a pure translation into what the run loop understands. */
import type { Backoff } from '../worker/backoff.ts';
import { FailedAttempt, isTransientError, TransientError } from '../worker/errors.ts';
import { Retry } from './errors.ts';

/**
 * The error to throw for a message that was received so many times and whose handler threw `error`: it comes back after
 * the backoff. A Retry, or a TransientError, is no failure and is logged in one line.
 */
export function failureOf(error: unknown, receiveCount: number, backoff: Backoff): Error {
  if (isTransientError(error)) {
    return new TransientError(error.message, {
      delay: error.delay ?? backoff(receiveCount) ?? 0,
      cause: error.cause,
    });
  }
  if (error instanceof Retry) {
    const delay = (error.backoff ?? backoff)(receiveCount);
    return new TransientError(error.message, { ...(delay !== undefined && { delay }), cause: error.cause });
  }
  return new FailedAttempt(error, backoff(receiveCount));
}
