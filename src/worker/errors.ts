/** What a worker throws to say that its message is to be tried again. */
import { brand } from '../modules/brand.ts';

/**
 * Thrown by a worker when something outside is in the way: the message is not deleted and comes back, and the
 * log gets one line without a stack (zc.sqs's TransientError).
 *
 *     throw new TransientError('the mail server is busy');
 *     throw new TransientError('the mail server is busy', { delay: 60 });
 */
export class TransientError extends Error {
  static {
    brand(TransientError, 'TransientError');
  }
  override readonly name = 'TransientError';
  /** Seconds until the message comes back, 0 to 43,200; unset: when its visibility timeout ends. */
  readonly delay: number | undefined;

  constructor(message?: string | TransientErrorOptions, options?: TransientErrorOptions) {
    const given = typeof message === 'object' ? message : options;
    super(typeof message === 'string' ? message : 'To be tried again', given);
    this.delay = given?.delay;
  }
}

export interface TransientErrorOptions extends ErrorOptions {
  /** Seconds until the message comes back, 0 to 43,200. Default: when its visibility timeout ends. */
  readonly delay?: number;
}

/**
 * Says that handling failed and that the message is to be tried again, whatever `on_error` says: the error that was
 * thrown (`cause`) is logged with its stack, unlike a TransientError's. Tasks use it.
 */
export class FailedAttempt extends Error {
  static {
    brand(FailedAttempt, 'FailedAttempt');
  }
  override readonly name = 'FailedAttempt';
  /** Seconds until the message comes back; unset: when its visibility timeout ends. */
  readonly delay: number | undefined;

  constructor(cause: unknown, delay?: number) {
    super('To be tried again', { cause });
    this.delay = delay;
  }
}

/** True for a FailedAttempt of any copy of this package. */
export function isFailedAttempt(error: unknown): error is FailedAttempt {
  return error instanceof FailedAttempt;
}

/** True for a TransientError of any copy of this package. */
export function isTransientError(error: unknown): error is TransientError {
  return error instanceof TransientError;
}
