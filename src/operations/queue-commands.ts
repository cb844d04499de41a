/** What `sqs-queues` does, apart from reading arguments and printing: each command on an open broker. */
import type { Broker, OutgoingMessage, QueueCounts } from '../brokers/broker.ts';
import { QueueNotFoundError } from '../brokers/errors.ts';
import { Sender } from '../producer/sender.ts';

export interface QueueStatus extends QueueCounts {
  readonly queue: string;
}

/**
 * The counts of the named queues, or of all there are. Makes no queue: one that the broker would make when a container
 * opens it, as `configured` ones are, counts as empty. Throws QueueNotFoundError for others that do not exist.
 */
export async function queueStatus(
  broker: Broker,
  names: readonly string[],
  configured: readonly string[],
): Promise<QueueStatus[]> {
  const all = names.length === 0 || broker.makesQueues ? (await broker.list()).sort() : [];
  return Promise.all(
    (names.length > 0 ? names : all).map(async (queue) => {
      if (!broker.makesQueues || all.includes(queue)) {
        return { queue, ...(await (await broker.open(queue)).counts()) };
      }
      if (configured.includes(queue)) return { queue, visible: 0, inFlight: 0, delayed: 0 };
      throw new QueueNotFoundError(queue, broker.description);
    }),
  );
}

/** What became of the messages of one `send`. */
export interface SendReport {
  readonly sent: { readonly messageId: string; readonly body: string }[];
  readonly failed: { readonly position: number; readonly body: string; readonly error: Error }[];
}

/** How many messages are handed to the broker's requests at once. */
const STRETCH = 1_000;

/** Sends messages, in requests of ten; `position` in the report counts from 1. Throws QueueNotFoundError, BrokerError. */
export async function sendAll(
  broker: Broker,
  queueName: string,
  messages: Iterable<OutgoingMessage>,
): Promise<SendReport> {
  const sender = new Sender(broker, await broker.open(queueName));
  const report: SendReport = { sent: [], failed: [] };
  let position = 0;
  for (const stretch of stretches(messages, STRETCH)) {
    const results = await Promise.allSettled(stretch.map((message) => sender.send(message)));
    for (const [index, result] of results.entries()) {
      position += 1;
      const body = stretch[index]?.body ?? '';
      if (result.status === 'fulfilled') report.sent.push({ messageId: result.value.messageId, body });
      else report.failed.push({ position, body, error: result.reason as Error });
    }
  }
  return report;
}

function* stretches<Item>(items: Iterable<Item>, size: number): Generator<Item[]> {
  let stretch: Item[] = [];
  for (const item of items) {
    stretch.push(item);
    if (stretch.length === size) {
      yield stretch;
      stretch = [];
    }
  }
  if (stretch.length > 0) yield stretch;
}
