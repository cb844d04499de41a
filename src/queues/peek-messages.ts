/** Shows messages without removing them from the queue; where this requires a receive, returns them afterwards. */
import type { Message, PeekedMessage, Queue } from '../brokers/broker.ts';
import { peekedMessage } from '../brokers/rules/messages.ts';

/** How long a received message stays invisible if it cannot be returned, in seconds. */
const VISIBILITY_TIMEOUT = 30;
/** Any long poll makes SQS query all of its servers. In seconds. */
export const WAIT_SECONDS = 1;

/**
 * Up to `max` visible messages. On SQS, which cannot show a message without a receive, they are received, which raises
 * their receive count, and returned immediately. Throws BrokerError.
 */
export async function peekMessages(queue: Queue, max: number): Promise<PeekedMessage[]> {
  return queue.inspect?.peek ? queue.inspect.peek(max) : receiveAndReturn(queue, max);
}

async function receiveAndReturn(queue: Queue, max: number): Promise<PeekedMessage[]> {
  const messages: Message[] = [];
  try {
    while (messages.length < max) {
      const some = await queue.receive({
        max: Math.min(queue.limits.maxBatch, max - messages.length),
        waitSeconds: WAIT_SECONDS,
        visibilityTimeout: VISIBILITY_TIMEOUT,
      });
      if (some.length === 0) break;
      messages.push(...some);
    }
  } finally {
    await returnMessages(queue, messages);
  }
  return messages.map(peekedMessage);
}

/**
 * Makes messages visible again, in the largest batches that the queue accepts. If this fails for a message, it becomes
 * visible when its visibility timeout ends.
 */
export async function returnMessages(queue: Queue, messages: readonly Message[]): Promise<void> {
  const { maxBatch } = queue.limits;
  for (let start = 0; start < messages.length; start += maxBatch) {
    const some = messages.slice(start, start + maxBatch);
    await queue.changeVisibility(some.map(({ receiptHandle }) => ({ receiptHandle, seconds: 0 })));
  }
}
