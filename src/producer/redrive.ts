/** Sends the messages of a dead-letter queue back to where they can be handled again. */
import type { Message, Queue } from '../brokers/broker.ts';
import { BATCH_ENTRIES } from '../brokers/limits.ts';
import { copyOf } from '../brokers/message-copy.ts';
import { fullName } from '../config/queue-names.ts';
import { connect } from './connections.ts';
import type { QueueOptions } from './queue.ts';
import { Sender } from './sender.ts';

/** How long a message may take from its receive to its delete, in seconds. */
const VISIBILITY_TIMEOUT = 60;

/**
 * Moves what is visible in the queue `from` to the queue `to`, with attributes and message groups; resolves to how many
 * were moved. A message is deleted once its copy is there, so none is lost. Broker and prefix are those of
 * `queue(name)`. Throws QueueNotFoundError, BrokerError, and SendError for a message that `to` refuses, which stays.
 */
export async function redrive(from: string, to: string, options: QueueOptions = {}): Promise<number> {
  const { broker, prefix } = await connect(options.broker);
  const source = await broker.open(fullName(from, { prefix }));
  const target = await broker.open(fullName(to, { prefix }));
  const sender = new Sender(broker, target);
  const { visible } = await source.counts();
  let moved = 0;
  // What comes meanwhile is not waited for: where a message fails again at once, this would never end.
  while (moved < visible) {
    const messages = await source.receive({
      max: BATCH_ENTRIES,
      waitSeconds: 0,
      visibilityTimeout: VISIBILITY_TIMEOUT,
    });
    if (messages.length === 0) break;
    await move(messages, source, (message) => sender.send(copyOf(message, target.fifo)));
    moved += messages.length;
  }
  return moved;
}

/** Sends copies and deletes the originals whose copies were accepted; throws the first error of the others. */
async function move(
  messages: readonly Message[],
  source: Queue,
  send: (message: Message) => Promise<unknown>,
): Promise<void> {
  const sent = await Promise.allSettled(messages.map(send));
  const accepted = messages.filter((_, index) => sent[index]?.status === 'fulfilled');
  if (accepted.length > 0) await source.delete(accepted.map(({ receiptHandle }) => receiptHandle));
  for (const result of sent) if (result.status === 'rejected') throw result.reason;
}
