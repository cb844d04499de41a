/** A message as stored in memory, and its conversion to a received message. */
import type { Message, MessageAttributes, OutgoingMessage } from '../broker.ts';
import { receiptHandle } from '../rules/receipt-handle.ts';
import { sequenceNumber } from '../rules/sqs-rules.ts';
import type { HeapEntry } from './heap.ts';

/** The message as sent. A message that moves to a dead-letter queue keeps these properties. */
export interface SentMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: MessageAttributes;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
}

export interface StoredMessage extends SentMessage {
  /** Increases with each message in the broker. */
  readonly number: number;
  state: 'delayed' | 'visible' | 'in flight' | 'gone';
  /** When a delayed or in-flight message becomes visible, in milliseconds since the epoch. */
  visibleAt: number;
  receiveCount: number;
  /** The token of the last receive that returned the message; null before the first. */
  token: string | null;
  /** Its entry in the heap of invisible messages. Only the heap may set it. */
  heapEntry: HeapEntry<StoredMessage> | undefined;
}

const NO_ATTRIBUTES = Object.freeze({});

/** Creates a message sent at `now`. Its id has SQS's format, and is the same in each run. */
export function sentMessage(
  number: number,
  { body, attributes = NO_ATTRIBUTES, groupId }: OutgoingMessage,
  deduplicationId: string | undefined,
  now: number,
): SentMessage {
  const id = `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  return { id, body, attributes, sentAt: now, groupId, deduplicationId };
}

/** Creates a message that has not been received yet: delayed if `visibleAt` is later than `now`, or else visible. */
export function storedMessage(
  number: number,
  sent: SentMessage,
  visibleAt: number,
  now: number,
): StoredMessage {
  return {
    id: sent.id,
    body: sent.body,
    attributes: sent.attributes,
    sentAt: sent.sentAt,
    groupId: sent.groupId,
    deduplicationId: sent.deduplicationId,
    number,
    state: visibleAt > now ? 'delayed' : 'visible',
    visibleAt,
    receiveCount: 0,
    token: null,
    heapEntry: undefined,
  };
}

/** Converts a message to the one that the receive with the token `token` returns. */
export function receivedMessage(message: StoredMessage, token: string, fifo: boolean): Message {
  const { number, groupId, deduplicationId } = message;
  const received = {
    id: message.id,
    body: message.body,
    receiptHandle: receiptHandle({ number, token }),
    receiveCount: message.receiveCount,
    attributes: message.attributes,
    sentAt: message.sentAt,
  };
  if (groupId === undefined && deduplicationId === undefined) return received;
  return {
    ...received,
    ...(groupId !== undefined && { groupId }),
    ...(deduplicationId !== undefined && { deduplicationId }),
    ...(fifo && { sequenceNumber: sequenceNumber(number) }),
  };
}
