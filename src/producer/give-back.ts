/** Gives received messages back to their queue. */
import type { Message, Queue } from '../brokers/broker.ts';
import { BATCH_ENTRIES } from '../brokers/rules/limits.ts';

/** Makes messages visible again, in requests of ten. One that cannot be comes again when its visibility timeout is over. */
export async function giveBack(queue: Queue, messages: readonly Message[]): Promise<void> {
  for (let start = 0; start < messages.length; start += BATCH_ENTRIES) {
    const some = messages.slice(start, start + BATCH_ENTRIES);
    await queue.changeVisibility(some.map(({ receiptHandle }) => ({ receiptHandle, seconds: 0 })));
  }
}
