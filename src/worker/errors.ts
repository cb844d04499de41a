/** The errors that a worker throws to have its message retried. */
import { brand } from '../modules/brand.ts';

/**
 * Thrown by a worker for a temporary external problem. The message is retried, not deleted, and the log gets one line
 * without a stack (like zc.sqs's TransientError).
 *
 *     throw new TransientError('the mail server is busy');
 *     throw new TransientError('the mail server is busy', { delay: 60 });
 */
export class TransientError extends Error {
  static {
    brand(TransientError, 'TransientError');
  }
  override readonly name = 'TransientError';
  /** Seconds until the message is retried, 0 to 43,200; undefined: when its visibility timeout ends. */
  readonly delay: number | undefined;

  constructor(message?: string | TransientErrorOptions, options?: TransientErrorOptions) {
    const given = typeof message === 'object' ? message : options;
    super(typeof message === 'string' ? message : 'Try again later', given);
    this.delay = given?.delay;
  }
}

export interface TransientErrorOptions extends ErrorOptions {
  /** Seconds until the message is retried, 0 to 43,200. Default: when its visibility timeout ends. */
  readonly delay?: number;
}

/**
 * Thrown when handling failed and the message must be retried, whatever `on_error` is. Unlike a TransientError, it is
 * logged with the stack of the original error (`cause`). Used by tasks.
 */
export class FailedAttempt extends Error {
  static {
    brand(FailedAttempt, 'FailedAttempt');
  }
  override readonly name = 'FailedAttempt';
  /** Seconds until the message is retried; undefined: when its visibility timeout ends. */
  readonly delay: number | undefined;

  constructor(cause: unknown, delay?: number) {
    super('Try again later', { cause });
    this.delay = delay;
  }
}

/** True for a FailedAttempt from any copy of this package. */
export function isFailedAttempt(error: unknown): error is FailedAttempt {
  return error instanceof FailedAttempt;
}

/** True for a TransientError from any copy of this package. */
export function isTransientError(error: unknown): error is TransientError {
  return error instanceof TransientError;
}
