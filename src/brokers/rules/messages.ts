/** What all brokers do with a message: its size, its copy for another queue, and its attributes as text. */
import type {
  Message,
  MessageAttribute,
  MessageAttributes,
  OutgoingMessage,
  PeekedMessage,
} from '../broker.ts';

/** Its size as SQS counts it towards its limits: bytes of the body and of each attribute's name, type and value. */
export function messageSize({ body, attributes = {} }: OutgoingMessage): number {
  let bytes = Buffer.byteLength(body);
  // No list of entries, because this runs for each message, and most have no attributes.
  for (const name in attributes) {
    const { dataType, stringValue = '', binaryValue } = attributes[name]!;
    bytes += Buffer.byteLength(name) + Buffer.byteLength(dataType);
    bytes += Buffer.byteLength(stringValue) + (binaryValue?.byteLength ?? 0);
  }
  return bytes;
}

/**
 * A received message as one to send to another queue: a dead-letter queue, or back from there. On a FIFO queue the id of the original tells a second copy of it from a message with the same body.
 */
export function copyOf({ id, body, attributes, groupId }: Message, fifo: boolean): OutgoingMessage {
  if (fifo) return { body, attributes, groupId: groupId ?? id, deduplicationId: id };
  return { body, attributes, ...(groupId !== undefined && { groupId }) };
}

/** A received message as one that is only looked at. */
export function peekedMessage({ receiptHandle: _, ...peeked }: Message): PeekedMessage {
  return peeked;
}

interface StoredAttribute extends Omit<MessageAttribute, 'binaryValue'> {
  /** In base64. */
  readonly binaryValue?: string;
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

/** What `formatAttributes` made; none of null or an empty text. */
export function parseAttributes(text: string | null): MessageAttributes {
  if (!text) return {};
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
