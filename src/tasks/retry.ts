/** What an error that a handler throws means: a pure translation into what the run loop understands. */

import { brand } from '../modules/brand.ts';
import type { Backoff } from '../worker/backoff.ts';
import { FailedAttempt, isTransientError, TransientError } from '../worker/errors.ts';

/** Thrown by a handler to be called again on purpose: logged in one line, and with a backoff of its own if one is given. */
export class Retry extends Error {
  static {
    brand(Retry, 'Retry');
  }
  override readonly name = 'Retry';
  readonly backoff: Backoff | undefined;

  constructor(message = 'To be tried again', options: ErrorOptions & { readonly backoff?: Backoff } = {}) {
    super(message, options);
    this.backoff = options.backoff;
  }
}

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
