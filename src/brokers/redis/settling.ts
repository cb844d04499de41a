/** Deletes messages and moves when they are visible, by receipt handle. Throws a BrokerError. */
import type { EntryResult, VisibilityChange } from '../broker.ts';
import { isFifoName } from '../rules/queue-name.ts';
import {
  changeResult,
  deleteResult,
  type HeldMessage,
  parseReceiptHandle,
  type Receipt,
} from '../rules/receipt-handle.ts';
import { changeRefusal } from '../rules/sqs-rules.ts';
import type { RedisClient } from './client.ts';
import { changeVisibilities as changeScript, deleteFifo, deleteStandard } from './scripts/settling.ts';

/** Deletes messages; a result for each, in order. */
export async function deleteMessages(
  client: RedisClient,
  queue: string,
  receiptHandles: readonly string[],
): Promise<EntryResult[]> {
  const fifo = isFifoName(queue);
  const receipts = receiptHandles.map(parseReceiptHandle);
  const good = receipts.filter((receipt) => receipt !== undefined);
  const values = [...good.map(({ number }) => number), ...good.map(({ token }) => token)];
  const answer = await client.run<string>(fifo ? deleteFifo : deleteStandard, queue, values);
  const found = heldMessages(receipts, answer);
  return receipts.map((receipt, index) => deleteResult(receipt, found[index], fifo));
}

/** Changes visibility timeouts; a result for each, in order. */
export async function changeVisibilities(
  client: RedisClient,
  queue: string,
  changes: readonly VisibilityChange[],
): Promise<EntryResult[]> {
  const receipts = changes.map(({ receiptHandle }) => parseReceiptHandle(receiptHandle));
  const possible = receipts.map((receipt, index) => (changeRefusal(changes[index]!) ? undefined : receipt));
  const values = possible.flatMap((receipt, index) =>
    receipt ? [receipt.number, receipt.token, changes[index]!.seconds] : [],
  );
  const flag = isFifoName(queue) ? '1' : '0';
  const answer = await client.run<string>(changeScript, queue, [flag, ...values]);
  const found = heldMessages(possible, answer);
  return changes.map((change, index) => changeResult(change, receipts[index], found[index]));
}

/** What a script found for each receipt, where there is one. */
function heldMessages(
  receipts: readonly (Receipt | undefined)[],
  answer: string,
): (HeldMessage | undefined)[] {
  const digits = answer[Symbol.iterator]();
  return receipts.map((receipt) => receipt && heldMessage(receipt, digits.next().value!));
}

/** What a script found of the message of a receipt. */
function heldMessage({ token }: Receipt, digit: string): HeldMessage | undefined {
  if (digit === '0') return undefined;
  return { token: digit === '1' ? null : token, isInFlight: digit === '3' };
}
