/** The errors that brokers throw, by kind, so that the run loop and the executables can act on them. */
import { brand } from '../modules/brand.ts';
import type { EntryFailure } from './broker.ts';

/**
 * - `missing`: the queue does not exist
 * - `unreachable`: no connection, no answer in time, or a server error; may work later
 * - `throttled`: too many requests; may work later
 * - `credentials`: missing, expired or not accepted; may work later (something else may renew them)
 * - `denied`: the credentials are valid but lack the permission
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

/** A failed request to a broker. The message says what failed, why, and what to do; `cause` is the original error. */
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

/** The configuration itself is wrong, such as an invalid broker address: retrying will not help. */
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

  /** `place` is the broker's description: for SQS it includes the region. */
  constructor(queue: string, place: string, options?: ErrorOptions) {
    super(
      'missing',
      `The queue "${queue}" does not exist in ${place}. Create it: sqs-queues create ${queue}`,
      options,
    );
    this.queue = queue;
  }
}

/** The result for a batch entry that the broker, in violation of the contract, returned no result for. */
export const NO_RESULT: EntryFailure = {
  ok: false,
  code: 'NoResult',
  message: 'the broker returned no result for it',
  retryable: true,
};
