/** Shows messages of a queue and leaves them there; where that takes a receive, they are returned. */
import type { Message, PeekedMessage, Queue } from '../brokers/broker.ts';
import { peekedMessage } from '../brokers/rules/messages.ts';

/** How long a message that had to be received stays invisible if it cannot be returned, in seconds. */
const VISIBILITY_TIMEOUT = 30;
/** Long enough that SQS asks all of its servers. In seconds. */
const WAIT_SECONDS = 1;

/**
 * Up to `max` visible messages. Where the queue cannot show one without a receive (SQS), they are received, which counts,
 * and returned at once. Throws BrokerError.
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
 * Makes messages visible again, as many to a request as the queue takes. Those that cannot be come back when their
 * visibility timeout ends.
 */
export async function returnMessages(queue: Queue, messages: readonly Message[]): Promise<void> {
  const { maxBatch } = queue.limits;
  for (let start = 0; start < messages.length; start += maxBatch) {
    const some = messages.slice(start, start + maxBatch);
    await queue.changeVisibility(some.map(({ receiptHandle }) => ({ receiptHandle, seconds: 0 })));
  }
}
