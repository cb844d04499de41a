/** What a handler's errors mean: a pure translation into what the run loop understands. */
import type { Backoff } from '../worker/backoff.ts';
import { FailedAttempt, isTransientError, TransientError } from '../worker/errors.ts';
import { Retry } from './errors.ts';

/**
 * The error to throw for a message that was received so many times and whose handler threw `error`: it comes back after
 * the backoff. A Retry, or a TransientError, is no failure and is logged in one line.
 */
export function failureOf(error: unknown, receiveCount: number, backoff: Backoff): Error {
  if (error instanceof Retry) return again(error, (error.backoff ?? backoff)(receiveCount));
  if (isTransientError(error)) return again(error, error.delay ?? backoff(receiveCount));
  return new FailedAttempt(error, backoff(receiveCount));
}

function again({ message, cause }: Error, delay: number | undefined): TransientError {
  return new TransientError(message, { cause, ...(delay !== undefined && { delay }) });
}
