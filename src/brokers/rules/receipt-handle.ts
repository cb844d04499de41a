/**
 * Receipt handles of the embedded brokers, and what they permit. A handle contains the message number and the token of the
 * receive that delivered the message. The next receive stores a new token, so an old handle can be recognized.
 */
import type { EntryResult, VisibilityChange } from '../broker.ts';
import { changeRefusal, failure } from './sqs-rules.ts';

/** A parsed receipt handle; brokers with a different format have a token in theirs as well. */
export interface Receipt {
  readonly number: number;
  readonly token: string;
}

/** The state of the message that a receipt handle refers to. */
export interface HeldMessage {
  /** The token of the last receive that delivered the message; null before the first. */
  readonly token: string | null;
  readonly isInFlight: boolean;
}

export function receiptHandle({ number, token }: Receipt): string {
  return `${number}-${token}`;
}

/** Parses a receipt handle; undefined if it is invalid. */
export function parseReceiptHandle(handle: string): Receipt | undefined {
  const match = /^(\d{1,15})-(\w+)$/.exec(handle);
  return match ? { number: Number(match[1]), token: match[2]! } : undefined;
}

/**
 * Whether a receipt handle may delete its message. `receipt` is undefined for an invalid handle; `message` is undefined if
 * the message no longer exists: deleting it again is not an error.
 *
 *     deleteResult({ number: 1, token: 'a' }, { token: 'a', isInFlight: true }, false)  // ok
 *     deleteResult({ number: 1, token: 'a' }, { token: 'b', isInFlight: true }, false)  // refused: it was received again
 *     deleteResult({ number: 1, token: 'a' }, { token: 'a', isInFlight: false }, false) // ok, though it is visible again
 *     deleteResult({ number: 1, token: 'a' }, { token: 'a', isInFlight: false }, true)  // refused: too late on a FIFO queue
 */
export function deleteResult(
  receipt: Pick<Receipt, 'token'> | undefined,
  message: HeldMessage | undefined,
  fifo: boolean,
): EntryResult {
  if (!receipt) return BAD_RECEIPT_HANDLE;
  if (!message) return OK;
  if (receipt.token !== message.token) return OLD_RECEIPT_HANDLE;
  // On a FIFO queue the group is unblocked: after a delete, the next message could overtake this one's second delivery.
  return fifo && !message.isInFlight ? OLD_RECEIPT_HANDLE : OK;
}

/**
 * Whether a visibility change is allowed: only if the seconds are in range and the handle is from the receive that put the
 * message in flight. `receipt` and `message` are as for `deleteResult`.
 */
export function changeResult(
  change: VisibilityChange,
  receipt: Pick<Receipt, 'token'> | undefined,
  message: HeldMessage | undefined,
): EntryResult {
  const refusal = changeRefusal(change);
  if (refusal) return refusal;
  if (!receipt) return BAD_RECEIPT_HANDLE;
  if (!message) return NOT_IN_FLIGHT;
  if (receipt.token !== message.token) return OLD_RECEIPT_HANDLE;
  return message.isInFlight ? OK : NOT_IN_FLIGHT;
}

const OK: EntryResult = { ok: true };

/** No receive returned this handle. */
const BAD_RECEIPT_HANDLE = failure(
  'ReceiptHandleIsInvalid',
  'The receipt handle is not from this queue. Use the one that the receive returned.',
);

/** The handle was valid before. */
const OLD_RECEIPT_HANDLE = failure(
  'ReceiptHandleIsInvalid',
  'The receipt handle is no longer valid: the visibility timeout of the message ended, and it may have been received again.',
);

/** A visibility change for a message that is not in flight. */
const NOT_IN_FLIGHT = failure(
  'MessageNotInflight',
  'The message is not in flight: it was deleted, or its visibility timeout ended.',
);
