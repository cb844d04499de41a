/** Converts messages between the broker contract and the JSON of the SQS API, where binary values are in base64. */
import type { Message, MessageAttribute, MessageAttributes, OutgoingMessage } from '../broker.ts';

/** The system attributes that `fromSqs` reads; SQS returns only the requested ones. */
export const SYSTEM_ATTRIBUTES = [
  'ApproximateReceiveCount',
  'SentTimestamp',
  'MessageGroupId',
  'MessageDeduplicationId',
  'SequenceNumber',
] as const;

interface AttributeValue {
  readonly DataType?: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

export interface ReceivedMessage {
  readonly MessageId?: string;
  readonly Body?: string;
  readonly ReceiptHandle?: string;
  readonly Attributes?: Readonly<Partial<Record<(typeof SYSTEM_ATTRIBUTES)[number], string>>>;
  readonly MessageAttributes?: Readonly<Record<string, AttributeValue>>;
}

const NO_ATTRIBUTES: MessageAttributes = Object.freeze({});

/** Converts a received message. */
export function fromSqs(message: ReceivedMessage): Message {
  const system = message.Attributes ?? {};
  return {
    id: message.MessageId ?? '',
    body: message.Body ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    receiveCount: Number(system.ApproximateReceiveCount ?? 1),
    attributes: message.MessageAttributes ? attributesFromSqs(message.MessageAttributes) : NO_ATTRIBUTES,
    sentAt: Number(system.SentTimestamp ?? 0),
    ...(system.MessageGroupId !== undefined && { groupId: system.MessageGroupId }),
    ...(system.MessageDeduplicationId !== undefined && { deduplicationId: system.MessageDeduplicationId }),
    ...(system.SequenceNumber !== undefined && { sequenceNumber: system.SequenceNumber }),
  };
}

/** Converts a message to a batch entry. Rounds the delay up, because SQS accepts whole seconds. */
export function toSqs(message: OutgoingMessage, entryId: string) {
  const { attributes, delaySeconds, groupId, deduplicationId } = message;
  return {
    Id: entryId,
    MessageBody: message.body,
    ...(attributes && { MessageAttributes: attributesToSqs(attributes) }),
    ...(delaySeconds !== undefined && { DelaySeconds: Math.ceil(delaySeconds) }),
    ...(groupId !== undefined && { MessageGroupId: groupId }),
    ...(deduplicationId !== undefined && { MessageDeduplicationId: deduplicationId }),
  };
}

function attributesFromSqs(attributes: Readonly<Record<string, AttributeValue>>): MessageAttributes {
  return mapValues(
    attributes,
    ({ DataType = 'String', StringValue, BinaryValue }): MessageAttribute => ({
      dataType: DataType,
      ...(StringValue !== undefined && { stringValue: StringValue }),
      ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue, 'base64') }),
    }),
  );
}

function attributesToSqs(attributes: MessageAttributes): Record<string, AttributeValue> {
  return mapValues(
    attributes,
    ({ dataType, stringValue, binaryValue }): AttributeValue => ({
      DataType: dataType,
      ...(stringValue !== undefined && { StringValue: stringValue }),
      ...(binaryValue && { BinaryValue: Buffer.from(binaryValue).toString('base64') }),
    }),
  );
}

/** A plain loop for speed: this runs for every message. */
function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> {
  const mapped: Record<string, To> = {};
  for (const name in record) {
    const value = map(record[name] as From);
    // Senders choose the names: assigning this one would set the prototype.
    if (name === '__proto__') Object.defineProperty(mapped, name, { value, enumerable: true });
    else mapped[name] = value;
  }
  return mapped;
}
