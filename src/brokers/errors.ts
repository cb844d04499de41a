/** What brokers throw, in kinds that the run loop and the executables can act on. */
import { brand } from '../modules/brand.ts';
import type { EntryFailure } from './broker.ts';

/**
 * - `missing`: the queue does not exist
 * - `unreachable`: no connection, no answer in time, or the server is at fault; may work later
 * - `throttled`: too many requests; may work later
 * - `credentials`: none, expired or not accepted; may work later (they are renewed from outside)
 * - `denied`: valid credentials without the permission
 * - `setup`: a setting is missing or wrong, such as the region
 * - `rejected`: the broker refused the request itself
 */
export type BrokerErrorKind =
  | 'missing'
  | 'unreachable'
  | 'throttled'
  | 'credentials'
  | 'denied'
  | 'setup'
  | 'rejected';

/** A request to a broker failed. The message says what was tried, why it failed and what to do; `cause` has the original. */
export class BrokerError extends Error {
  static {
    brand(BrokerError, 'BrokerError');
  }
  override readonly name: string = 'BrokerError';
  readonly kind: BrokerErrorKind;

  constructor(kind: BrokerErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What is configured is wrong in itself, such as an address that names no broker: trying again will not help. */
export class BrokerConfigError extends BrokerError {
  static {
    brand(BrokerConfigError, 'BrokerConfigError');
  }

  constructor(message: string, options?: ErrorOptions) {
    super('setup', message, options);
  }
}

/** The queue does not exist where the broker looked. */
export class QueueNotFoundError extends BrokerError {
  static {
    brand(QueueNotFoundError, 'QueueNotFoundError');
  }
  override readonly name = 'QueueNotFoundError';
  readonly queue: string;

  /** `place` is the broker's description: for SQS it names the region. */
  constructor(queue: string, place: string, options?: ErrorOptions) {
    super(
      'missing',
      `The queue "${queue}" does not exist in ${place}. Create it: sqs-queues create ${queue}`,
      options,
    );
    this.queue = queue;
  }
}

/** For an entry of a batch that the broker gave no result for, against the contract. */
export const NO_RESULT: EntryFailure = {
  ok: false,
  code: 'NoResult',
  message: 'the broker gave no result for it',
  retryable: true,
};
