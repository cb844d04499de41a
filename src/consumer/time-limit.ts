/**
 * Bounds how long a worker may take (`handler_timeout`): its signal aborts, and the attempt has failed whatever it does
 * then. The message and its slot stay taken until the worker ends, so that no second copy runs beside it; one that does
 * not end even then is stuck, and only a new process helps.
 */
import type { Delivery } from './delivery.ts';

/** The reason that a worker's signal aborts with when it took too long, and the error of its message. */
export class HandlerTimeoutError extends Error {
  override readonly name = 'HandlerTimeoutError';
}

/** How long a worker may take to end once its signal has aborted, in seconds. */
const PATIENCE_SECONDS = 10;

export interface TimeLimit {
  /** The error of a worker whose time is over. */
  readonly error: HandlerTimeoutError | undefined;
  /** The worker has ended. */
  end(): void;
}

/** Starts the clock for the worker of a message. `onStuck` is told if it does not end, with how long it was given. */
export function limitTime(
  delivery: Delivery,
  timeoutSeconds: number,
  onStuck: (seconds: number) => void,
): TimeLimit {
  let error: HandlerTimeoutError | undefined;
  let timer = setTimeout(() => {
    error = new HandlerTimeoutError(
      `The worker took longer than the handler timeout of ${timeoutSeconds} s.`,
    );
    delivery.abort(error);
    timer = setTimeout(() => onStuck(PATIENCE_SECONDS), PATIENCE_SECONDS * 1000);
  }, timeoutSeconds * 1000);
  return {
    get error() {
      return error;
    },
    end: () => clearTimeout(timer),
  };
}
