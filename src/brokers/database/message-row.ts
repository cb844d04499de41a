/** A message as it stands in the table, and as it is received. */
import type { Message, MessageAttribute, MessageAttributes } from '../broker.ts';
import { isFifoName } from '../queue-name.ts';
import { receiptHandle } from '../receipt-handle.ts';
import { sequenceNumber } from '../sqs-rules.ts';
import type { MessageRow, QueueRow } from './schema.ts';

/** The message of a row that was put in flight with the token `receipt`. */
export function receivedMessage(queue: QueueRow, row: MessageRow, receipt: string): Message {
  return {
    id: row.message_id,
    body: Buffer.from(row.body.buffer, row.body.byteOffset, row.body.byteLength).toString(),
    receiptHandle: receiptHandle({ number: row.id, token: receipt }),
    receiveCount: row.receive_count,
    attributes: parseAttributes(row.attributes),
    sentAt: row.sent_at,
    ...(row.group_id !== null && { groupId: row.group_id }),
    ...(row.deduplication_id !== null && { deduplicationId: row.deduplication_id }),
    ...(isFifoName(queue.name) && { sequenceNumber: sequenceNumber(row.id) }),
  };
}

/** Attributes as JSON, binary values in base64; null for none. */
export function formatAttributes(attributes: MessageAttributes = {}): string | null {
  const entries = Object.entries(attributes);
  if (entries.length === 0) return null;
  return JSON.stringify(
    entries.map(([name, { dataType, stringValue, binaryValue }]) => [
      name,
      { dataType, stringValue, binaryValue: binaryValue && Buffer.from(binaryValue).toString('base64') },
    ]),
  );
}

function parseAttributes(text: string | null): MessageAttributes {
  if (text === null) return {};
  const entries = JSON.parse(text) as [string, StoredAttribute][];
  return Object.fromEntries(
    entries.map(([name, { binaryValue, ...attribute }]): [string, MessageAttribute] => [
      name,
      binaryValue === undefined
        ? attribute
        : { ...attribute, binaryValue: new Uint8Array(Buffer.from(binaryValue, 'base64')) },
    ]),
  );
}

interface StoredAttribute extends Omit<MessageAttribute, 'binaryValue'> {
  /** In base64. */
  readonly binaryValue?: string;
}
