/** A message as a queue in memory keeps it, and as it is received. */
import type { Message, MessageAttributes, OutgoingMessage } from '../broker.ts';
import { receiptHandle } from '../rules/receipt-handle.ts';
import { sequenceNumber } from '../rules/sqs-rules.ts';
import type { Place } from './heap.ts';

/** What was sent; a message that goes to a dead-letter queue keeps it. */
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
  /** Grows with each message of the broker. */
  readonly number: number;
  state: 'delayed' | 'visible' | 'in flight' | 'gone';
  /** When a message that is delayed or in flight becomes visible: milliseconds since the epoch. */
  visibleAt: number;
  receiveCount: number;
  /** The token of the receive that handed it out last; null before the first. */
  token: string | null;
  /** Where it is among the invisible ones: the heap's own to write. */
  place: Place<StoredMessage> | undefined;
}

const NO_ATTRIBUTES = Object.freeze({});

/** A message as it is sent at `now`; its id is in the form of SQS's, and the same in each run. */
export function sentMessage(
  number: number,
  { body, attributes = NO_ATTRIBUTES, groupId }: OutgoingMessage,
  deduplicationId: string | undefined,
  now: number,
): SentMessage {
  const id = `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
  return { id, body, attributes, sentAt: now, groupId, deduplicationId };
}

/** A message that nobody has received yet: delayed if `visibleAt` is later than `now`. */
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
    place: undefined,
  };
}

/** A message of a queue as the receive with the token `token` hands it out. */
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
