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

/** A message as the scripts show it. */
export interface ShownMessage {
  readonly number: number;
  readonly receiveCount: number;
  readonly record: string;
}

/** `heads` has number and receive count of each message: `1 1 2 4` for the two messages 1 and 2. */
export function shownMessages(heads: string, records: readonly string[]): ShownMessage[] {
  const numbers = heads.split(' ').map(Number);
  return records.map((record, index) => ({
    number: numbers[2 * index]!,
    receiveCount: numbers[2 * index + 1]!,
    record,
  }));
}

/** The message that the receive with the text `unique` hands out. */
export function receivedMessage(
  { number, receiveCount, record }: ShownMessage,
  unique: string,
  fifo: boolean,
): Message {
  const idAt = record.indexOf(' ') + 1;
  const groupingAt = record.indexOf('\n', idAt) + 1;
  const attributesAt = record.indexOf('\n', groupingAt) + 1;
  const bodyAt = record.indexOf('\n', attributesAt) + 1;
  const message = {
    id: record.slice(idAt, groupingAt - 1),
    body: record.slice(bodyAt),
    receiptHandle: receiptHandle({ number, token: `${receiveCount}_${unique}` }),
    receiveCount,
    attributes: parseAttributes(record.slice(attributesAt, bodyAt - 1)),
    sentAt: Number(record.slice(0, idAt)),
  };
  if (attributesAt === groupingAt + 1) return message;
  const grouping = JSON.parse(record.slice(groupingAt, attributesAt)) as Grouping;
  return { ...message, ...grouping, ...(fifo && { sequenceNumber: sequenceNumber(number) }) };
}
