/** Message functions that all brokers share: size, copies for other queues, and attributes as text. */
import type {
  Message,
  MessageAttribute,
  MessageAttributes,
  OutgoingMessage,
  PeekedMessage,
} from '../broker.ts';

/** The size of a message as SQS counts it: the bytes of the body and of each attribute's name, type and value. */
export function messageSize({ body, attributes = {} }: OutgoingMessage): number {
  let bytes = Buffer.byteLength(body);
  // No Object.entries: this runs for every message, and most have no attributes.
  for (const name in attributes) {
    const { dataType, stringValue = '', binaryValue } = attributes[name]!;
    bytes += Buffer.byteLength(name) + Buffer.byteLength(dataType);
    bytes += Buffer.byteLength(stringValue) + (binaryValue?.byteLength ?? 0);
  }
  return bytes;
}

/**
 * Copies a received message for another queue: to a dead-letter queue or back. On a FIFO queue the original id becomes the
 * deduplication id, so that a second copy is dropped but another message with the same body is not.
 */
export function copyOf({ id, body, attributes, groupId }: Message, fifo: boolean): OutgoingMessage {
  if (fifo) return { body, attributes, groupId: groupId ?? id, deduplicationId: id };
  return { body, attributes, ...(groupId !== undefined && { groupId }) };
}

/** Converts a received message to a peeked one. */
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

/** Parses the output of `formatAttributes`. Null and the empty string mean no attributes. */
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
