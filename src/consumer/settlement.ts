/** An outcome on its way to the broker, and the requests that send them in batches. */
import type { EntryResult, Queue } from '../brokers/broker.ts';
import { copyOf } from '../brokers/rules/messages.ts';
import type { Outcome } from '../worker/outcome.ts';
import type { HeldMessage } from './held-message.ts';

export interface Settlement {
  readonly held: HeldMessage;
  readonly outcome: Outcome;
  /** For a delete before handling: called with whether it succeeded. */
  readonly whenDeleted: ((worked: boolean) => void) | undefined;
  /** True once the copy of a message to bury is in the dead-letter queue. */
  copied: boolean;
  /** True if the last request was sent after the lease had expired by our own clock: it is not retried. */
  late: boolean;
  failures: number;
}

/** True if the only step left is to delete a message whose work is done. */
export function isDelete({ outcome, whenDeleted, copied }: Settlement): boolean {
  return !whenDeleted && (outcome.action === 'delete' || copied);
}

/** Deletes the messages of a batch; returns a result for each, in order. Like the functions below, throws BrokerError. */
export function deleteMessages(queue: Queue, batch: readonly Settlement[]): Promise<EntryResult[]> {
  return queue.delete(batch.map(({ held }) => held.message.receiptHandle));
}

/** Makes the messages of a batch visible again after the delays in their outcomes. */
export function changeVisibility(queue: Queue, batch: readonly Settlement[]): Promise<EntryResult[]> {
  return queue.changeVisibility(
    batch.map(({ held, outcome }) => ({
      receiptHandle: held.message.receiptHandle,
      seconds: (outcome.action === 'retry' && outcome.delaySeconds) || 0,
    })),
  );
}

/** Sends copies of the messages of a batch to the dead-letter queue. */
export async function sendCopies(
  deadLetterQueue: Queue | undefined,
  batch: readonly Settlement[],
): Promise<EntryResult[]> {
  if (!deadLetterQueue) throw new Error('No dead-letter queue is configured.');
  return deadLetterQueue.send(batch.map(({ held }) => copyOf(held.message, deadLetterQueue.fifo)));
}
