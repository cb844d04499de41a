/** The size of a message as SQS counts it towards its limits. */
import type { OutgoingMessage } from '../broker.ts';

/** Bytes of the body and of each attribute's name, type and value. */
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
