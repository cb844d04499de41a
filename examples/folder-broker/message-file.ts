// The file of a message. Its name holds everything that changes, so each change is one atomic rename.
import type { MessageAttributes, OutgoingMessage } from 'sqs-containers/broker';

export interface MessageFile {
  /** When the message can be received: milliseconds since the epoch, like all times here. */
  readonly visibleAt: number;
  readonly sentAt: number;
  readonly id: string;
  readonly receiveCount: number;
  /** Different for each receive, part of the receipt handle; empty before the first receive. */
  readonly token: string;
}

/** For example `1767225600000_1767225600000_0b7f…_1_9c1e….json`. Sorted names are in the order of receiving. */
export function fileName({ visibleAt, sentAt, id, receiveCount, token }: MessageFile): string {
  return `${visibleAt}_${sentAt}_${id}_${receiveCount}_${token}.json`;
}

/** Returns undefined for files that are not messages: settings and drafts. */
export function parseFileName(name: string): MessageFile | undefined {
  const [, visibleAt, sentAt, id = '', receiveCount, token = ''] =
    /^(\d+)_(\d+)_([\da-f-]+)_(\d+)_([\da-f]*)\.json$/.exec(name) ?? [];
  if (id === '') return undefined;
  return {
    visibleAt: Number(visibleAt),
    sentAt: Number(sentAt),
    id,
    receiveCount: Number(receiveCount),
    token,
  };
}

export function receiptHandle({ id, token }: MessageFile): string {
  return `${id}_${token}`;
}

export function parseReceiptHandle(handle: string): { id: string; token: string } | undefined {
  const [, id = '', token = ''] = /^([\da-f-]+)_([\da-f]+)$/.exec(handle) ?? [];
  return id === '' ? undefined : { id, token };
}

/** The content of the file: the message as it was sent, which never changes. */
export interface Content {
  readonly body: string;
  readonly attributes: MessageAttributes;
  readonly groupId?: string;
}

export function encodeContent({ body, attributes = {}, groupId }: OutgoingMessage): string {
  return JSON.stringify({ body, attributes, groupId }, (key, value: unknown) =>
    key === 'binaryValue' ? Buffer.from(value as Uint8Array).toString('base64') : value,
  );
}

export function decodeContent(text: string): Content {
  return JSON.parse(text, (key, value: unknown) =>
    key === 'binaryValue' ? new Uint8Array(Buffer.from(value as string, 'base64')) : value,
  ) as Content;
}
