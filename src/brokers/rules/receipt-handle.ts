/**
 * The receipt handles of the embedded brokers, and what one is good for. A handle has the number of the message and a
 * token of the one receive that handed it out. The next receive writes another token, so that an old handle is known to
 * be old.
 */
import type { EntryResult, VisibilityChange } from '../broker.ts';
import { changeRefusal, failure } from './sqs-rules.ts';

/** What a receipt handle says; brokers with other handles have a token in theirs, too. */
export interface Receipt {
  readonly number: number;
  readonly token: string;
}

/** What a broker knows of the message with the number of a receipt handle. */
export interface HeldMessage {
  /** The token of the receive that handed the message out last; null before the first. */
  readonly token: string | null;
  readonly isInFlight: boolean;
}

export function receiptHandle({ number, token }: Receipt): string {
  return `${number}-${token}`;
}

/** What a handle says, or undefined if it is none. */
export function parseReceiptHandle(handle: string): Receipt | undefined {
  const match = /^(\d{1,15})-(\w+)$/.exec(handle);
  return match ? { number: Number(match[1]), token: match[2]! } : undefined;
}

/**
 * Whether a receipt handle may delete the message that it names; `receipt` is undefined for what is no handle, `message`
 * for one that is gone: to delete it again is no error.
 *
 *     deleteResult({ number: 1, token: 'a' }, { token: 'a', isInFlight: true }, false)  // ok
 *     deleteResult({ number: 1, token: 'a' }, { token: 'b', isInFlight: true }, false)  // no: it was received again
 *     deleteResult({ number: 1, token: 'a' }, { token: 'a', isInFlight: false }, false) // ok, though it is visible again
 *     deleteResult({ number: 1, token: 'a' }, { token: 'a', isInFlight: false }, true)  // no: on FIFO queues that is too late
 */
export function deleteResult(
  receipt: Pick<Receipt, 'token'> | undefined,
  message: HeldMessage | undefined,
  fifo: boolean,
): EntryResult {
  if (!receipt) return BAD_RECEIPT_HANDLE;
  if (!message) return OK;
  if (receipt.token !== message.token) return OLD_RECEIPT_HANDLE;
  // On FIFO queues the group is open again: a delete now would let the next message overtake this one's second delivery.
  return fifo && !message.isInFlight ? OLD_RECEIPT_HANDLE : OK;
}

/**
 * Whether a change of visibility may be made: only with seconds in bounds, and the handle of the receive by which the
 * message is in flight. `receipt` and `message` are as for `deleteResult`.
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

/** No receive returned such a handle. */
const BAD_RECEIPT_HANDLE = failure(
  'ReceiptHandleIsInvalid',
  'This is no receipt handle of this queue. Use the one that the receive returned.',
);

/** The handle was good once. */
const OLD_RECEIPT_HANDLE = failure(
  'ReceiptHandleIsInvalid',
  'The receipt handle is no longer valid: the visibility timeout of the message ended, and it may have been received again.',
);

/** A change of visibility for a message that nobody holds. */
const NOT_IN_FLIGHT = failure(
  'MessageNotInflight',
  'The message is not in flight: it is deleted, or its visibility timeout ended.',
);
