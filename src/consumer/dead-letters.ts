/** Sends copies of messages to a dead-letter queue, for the settler, which deletes the originals afterwards. */
import type { EntryResult, Message, OutgoingMessage, Queue } from '../brokers/broker.ts';

/** Sends copies of 1 to 10 messages; a result for each, in order. Throws BrokerError. */
export function sendCopies(deadLetterQueue: Queue, messages: readonly Message[]): Promise<EntryResult[]> {
  return deadLetterQueue.send(messages.map((message) => copyOf(message, deadLetterQueue.fifo)));
}

/** On a FIFO queue the id of the original tells a second copy of it from a message with the same body. */
function copyOf({ id, body, attributes, groupId }: Message, fifo: boolean): OutgoingMessage {
  if (fifo) return { body, attributes, groupId: groupId ?? id, deduplicationId: id };
  return { body, attributes, ...(groupId !== undefined && { groupId }) };
}
