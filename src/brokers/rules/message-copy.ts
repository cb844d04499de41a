/** A received message as one to send: for dead-letter queues, and back from there; and as one that is only looked at. */
import type { Message, OutgoingMessage, PeekedMessage } from '../broker.ts';

/** On a FIFO queue the id of the original tells a second copy of it from a message with the same body. */
export function copyOf({ id, body, attributes, groupId }: Message, fifo: boolean): OutgoingMessage {
  if (fifo) return { body, attributes, groupId: groupId ?? id, deduplicationId: id };
  return { body, attributes, ...(groupId !== undefined && { groupId }) };
}

export function peekedMessage({ receiptHandle: _, ...peeked }: Message): PeekedMessage {
  return peeked;
}
