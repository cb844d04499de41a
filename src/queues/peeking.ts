/** Shows messages of a queue, and leaves them there. */
import type { Message, PeekedMessage, Queue } from '../brokers/broker.ts';
import { peekedMessage } from '../brokers/rules/message-copy.ts';
import { giveBack } from '../producer/give-back.ts';

/** How long a message that had to be received stays away if nobody gives it back, in seconds. */
const HELD_SECONDS = 30;
/** Long enough that SQS asks all of its servers. In seconds. */
const WAIT_SECONDS = 1;

/**
 * Up to `max` visible messages. Where the queue cannot show one without a receive (SQS), they are received, which counts,
 * and given back at once. Throws BrokerError.
 */
export async function peekInto(queue: Queue, max: number): Promise<PeekedMessage[]> {
  return queue.inspect?.peek ? queue.inspect.peek(max) : receiveAndGiveBack(queue, max);
}

async function receiveAndGiveBack(queue: Queue, max: number): Promise<PeekedMessage[]> {
  const messages: Message[] = [];
  try {
    while (messages.length < max) {
      const some = await queue.receive({
        max: Math.min(queue.limits.maxBatch, max - messages.length),
        waitSeconds: WAIT_SECONDS,
        visibilityTimeout: HELD_SECONDS,
      });
      if (some.length === 0) break;
      messages.push(...some);
    }
  } finally {
    await giveBack(queue, messages);
  }
  return messages.map(peekedMessage);
}
