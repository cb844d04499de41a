/** Sends many messages to a queue, and reports what became of each. */
import type { Broker, OutgoingMessage } from '../brokers/broker.ts';
import { Sender } from '../producer/sender.ts';

/** What became of the messages of one `send`. */
export interface SendReport {
  readonly sent: { readonly messageId: string; readonly body: string }[];
  readonly failed: { readonly position: number; readonly body: string; readonly error: Error }[];
}

/** How many messages are handed to the broker's requests at once. */
const STRETCH = 1_000;

/** Sends messages, in requests of ten; `position` in the report counts from 1, and `onProgress` hears how many are done. Throws QueueNotFoundError, BrokerError. */
export async function sendAll(
  broker: Broker,
  queueName: string,
  messages: Iterable<OutgoingMessage>,
  onProgress: (done: number) => void = () => {},
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
    onProgress(position);
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
