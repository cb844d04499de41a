/**
 * A message as it is kept in Redis. Its record is what never changes of it: when it was sent and its id, its message group
 * and deduplication id if it has one, its attributes if it has some, and the body.
 *
 *     1763723055123 6f1c…
 *     {"groupId":"customer 7"}
 *     [["kind",{"dataType":"String","stringValue":"invoice"}]]
 *     the body
 */
import { formatAttributes, parseAttributes } from '../attributes-text.ts';
import type { Message, OutgoingMessage } from '../broker.ts';
import { receiptHandle } from '../receipt-handle.ts';
import { sequenceNumber } from '../sqs-rules.ts';

type Grouping = Pick<Message, 'groupId' | 'deduplicationId'>;

/** A message that a receive took, as a script tells it. */
export type TakenMessage = readonly [number: string, receiveCount: number, record: string];

/** What comes in a record after the time, which is the server's to write, and before the body. */
export function formatHead(
  id: string,
  { groupId, attributes }: OutgoingMessage,
  deduplicationId?: string,
): string {
  const isGrouped = groupId !== undefined || deduplicationId !== undefined;
  const grouping = isGrouped ? JSON.stringify({ groupId, deduplicationId }) : '';
  return `${id}\n${grouping}\n${formatAttributes(attributes) ?? ''}\n`;
}

/** The message that the receive with the token `token` hands out. */
export function receivedMessage(
  [number, receiveCount, record]: TakenMessage,
  token: string,
  fifo: boolean,
): Message {
  const idAt = record.indexOf(' ') + 1;
  const groupingAt = record.indexOf('\n', idAt) + 1;
  const attributesAt = record.indexOf('\n', groupingAt) + 1;
  const bodyAt = record.indexOf('\n', attributesAt) + 1;
  const message = {
    id: record.slice(idAt, groupingAt - 1),
    body: record.slice(bodyAt),
    receiptHandle: receiptHandle({ number: Number(number), token }),
    receiveCount,
    attributes: parseAttributes(record.slice(attributesAt, bodyAt - 1)),
    sentAt: Number(record.slice(0, idAt)),
  };
  if (attributesAt === groupingAt + 1) return message;
  const grouping = JSON.parse(record.slice(groupingAt, attributesAt)) as Grouping;
  return { ...message, ...grouping, ...(fifo && { sequenceNumber: sequenceNumber(Number(number)) }) };
}
