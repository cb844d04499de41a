/** Deletes messages and moves when they are visible, by receipt handle. Undefined if there is no such queue. */
import type { EntryResult, VisibilityChange } from '../broker.ts';
import { isFifoName } from '../queue-name.ts';
import {
  changeResult,
  deleteResult,
  type HeldMessage,
  parseReceiptHandle,
  type Receipt,
} from '../receipt-handle.ts';
import { changeRefusal } from '../sqs-rules.ts';
import type { RedisClient } from './client.ts';
import type { Script } from './scripts/script.ts';
import { changeVisibilities as changeScript, deleteMessages as deleteScript } from './scripts/settling.ts';

/** Deletes messages; a result for each, in order. */
export async function deleteMessages(
  client: RedisClient,
  queue: string,
  receiptHandles: readonly string[],
): Promise<EntryResult[] | undefined> {
  const receipts = receiptHandles.map(parseReceiptHandle);
  const found = await settle(client, deleteScript, queue, receipts, ({ number, token }) => [number, token]);
  return found && receipts.map((receipt, index) => deleteResult(receipt, found[index], isFifoName(queue)));
}

/** Changes visibility timeouts; a result for each, in order. */
export async function changeVisibilities(
  client: RedisClient,
  queue: string,
  changes: readonly VisibilityChange[],
): Promise<EntryResult[] | undefined> {
  const receipts = changes.map(({ receiptHandle }) => parseReceiptHandle(receiptHandle));
  const possible = receipts.map((receipt, index) => (changeRefusal(changes[index]!) ? undefined : receipt));
  const found = await settle(client, changeScript, queue, possible, ({ number, token }, index) => [
    number,
    token,
    changes[index]!.seconds,
  ]);
  return found && changes.map((change, index) => changeResult(change, receipts[index], found[index]));
}

/** Runs a script with the values for each receipt; what it found for each, where there is one. */
async function settle(
  client: RedisClient,
  script: Script,
  queue: string,
  receipts: readonly (Receipt | undefined)[],
  valuesFor: (receipt: Receipt, index: number) => (string | number)[],
): Promise<(HeldMessage | undefined)[] | undefined> {
  const values = receipts.flatMap((receipt, index) => (receipt ? valuesFor(receipt, index) : []));
  const answer = await client.run<string | null>(script, queue, [isFifoName(queue) ? '1' : '0', ...values]);
  if (answer === null) return undefined;
  const digits = answer[Symbol.iterator]();
  return receipts.map((receipt) => receipt && heldMessage(receipt, digits.next().value!));
}

/** What a script found of the message of a receipt. */
function heldMessage({ token }: Receipt, digit: string): HeldMessage | undefined {
  if (digit === '0') return undefined;
  return { token: digit === '1' ? null : token, isInFlight: digit === '3' };
}
