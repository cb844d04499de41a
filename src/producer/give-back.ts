/** Gives received messages back to their queue. */
import type { Message, Queue } from '../brokers/broker.ts';

/** Makes messages visible again, as many to a request as the queue takes. One that cannot be comes again when its visibility timeout is over. */
export async function giveBack(queue: Queue, messages: readonly Message[]): Promise<void> {
  const { maxBatch } = queue.limits;
  for (let start = 0; start < messages.length; start += maxBatch) {
    const some = messages.slice(start, start + maxBatch);
    await queue.changeVisibility(some.map(({ receiptHandle }) => ({ receiptHandle, seconds: 0 })));
  }
}
