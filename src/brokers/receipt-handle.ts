/**
 * The receipt handles of the embedded brokers: the number of the message and a token of the one receive that handed it
 * out. The next receive writes another token, so that an old handle is known to be old.
 */
import { failure } from './sqs-rules.ts';

export interface Receipt {
  readonly number: number;
  readonly token: string;
}

export function receiptHandle(number: number, token: string | number): string {
  return `${number}-${token}`;
}

/** What a handle says, or undefined if it is none. */
export function parseReceiptHandle(handle: string): Receipt | undefined {
  const match = /^(\d{1,15})-(\w+)$/.exec(handle);
  return match ? { number: Number(match[1]), token: match[2]! } : undefined;
}

/** No receive returned such a handle. */
export const badReceiptHandle = failure(
  'ReceiptHandleIsInvalid',
  'This is no receipt handle of this queue. Use the one that the receive returned.',
);

/** The handle was good once. */
export const oldReceiptHandle = failure(
  'ReceiptHandleIsInvalid',
  'The receipt handle is no longer valid: the visibility timeout of the message ended, and it may have been received again.',
);

/** A change of visibility for a message that nobody holds. */
export const notInFlight = failure(
  'MessageNotInflight',
  'The message is not in flight: it is deleted, or its visibility timeout ended.',
);
