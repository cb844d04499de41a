/** Translates an error thrown by a handler into one that the run loop understands. */

import { brand } from '../modules/brand.ts';
import type { Backoff } from '../worker/backoff.ts';
import { FailedAttempt, isTransientError, TransientError } from '../worker/errors.ts';

/** Thrown by a handler that wants to be called again. It takes one log line, and may have its own backoff. */
export class Retry extends Error {
  static {
    brand(Retry, 'Retry');
  }
  override readonly name = 'Retry';
  readonly backoff: Backoff | undefined;

  constructor(message = 'Try again later', options: ErrorOptions & { readonly backoff?: Backoff } = {}) {
    super(message, options);
    this.backoff = options.backoff;
  }
}

/**
 * The error to throw for a message received `receiveCount` times whose handler threw `error`: it is retried after the
 * backoff. A Retry or TransientError is not a failure and takes one log line.
 */
export function failureOf(error: unknown, receiveCount: number, backoff: Backoff): Error {
  if (error instanceof Retry) return again(error, (error.backoff ?? backoff)(receiveCount));
  if (isTransientError(error)) return again(error, error.delay ?? backoff(receiveCount));
  return new FailedAttempt(error, backoff(receiveCount));
}

function again({ message, cause }: Error, delay: number | undefined): TransientError {
  return new TransientError(message, { cause, ...(delay !== undefined && { delay }) });
}
