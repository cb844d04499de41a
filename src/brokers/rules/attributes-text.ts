/** Message attributes as text, as the databases of ours keep them. */
import type { MessageAttribute, MessageAttributes } from '../broker.ts';

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
