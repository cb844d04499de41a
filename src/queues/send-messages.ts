/** Sends many messages to a queue and reports the result of each. */
import type { Broker, OutgoingMessage } from '../brokers/broker.ts';
import { Sender } from '../producer/sender.ts';

/** The results of one `sendMessages` call. */
export interface SendReport {
  readonly sent: { readonly messageId: string; readonly body: string }[];
  /** `position` counts from 1. */
  readonly failed: { readonly position: number; readonly body: string; readonly error: Error }[];
}

/** How many messages to hand to the sender at a time. */
const CHUNK_SIZE = 1_000;

/**
 * Sends messages in batches of ten; calls `onProgress` with the number of messages done. Throws QueueNotFoundError,
 * BrokerError.
 */
export async function sendMessages(
  broker: Broker,
  queueName: string,
  messages: Iterable<OutgoingMessage>,
  onProgress: (done: number) => void = () => {},
): Promise<SendReport> {
  const sender = new Sender(broker, await broker.open(queueName));
  const report: SendReport = { sent: [], failed: [] };
  let position = 0;
  for (const chunk of chunks(messages, CHUNK_SIZE)) {
    const results = await Promise.allSettled(chunk.map((message) => sender.send(message)));
    for (const [index, result] of results.entries()) {
      position += 1;
      const body = chunk[index]?.body ?? '';
      if (result.status === 'fulfilled') report.sent.push({ messageId: result.value.messageId, body });
      else report.failed.push({ position, body, error: result.reason as Error });
    }
    onProgress(position);
  }
  return report;
}

function* chunks<Item>(items: Iterable<Item>, size: number): Generator<Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length === size) {
      yield chunk;
      chunk = [];
    }
  }
  if (chunk.length > 0) yield chunk;
}
