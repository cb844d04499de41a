/**
 * The format of messages in Redis. A record holds the parts of a message that never change: the time sent and the id; the
 * message group and deduplication id, if any; the attributes, if any; and the body.
 *
 *     1763723055123 6f1c…
 *     {"groupId":"customer 7"}
 *     [["kind",{"dataType":"String","stringValue":"invoice"}]]
 *     the body
 */
import { randomUUID } from 'node:crypto';
import type { Message, OutgoingMessage } from '../broker.ts';
import { formatAttributes, parseAttributes } from '../rules/messages.ts';
import { receiptHandle } from '../rules/receipt-handle.ts';
import { sequenceNumber } from '../rules/sqs-rules.ts';

type Grouping = Pick<Message, 'groupId' | 'deduplicationId'>;

/** The part of a record between the time sent, which the server adds, and the body. */
export function formatHead(
  id: string,
  { groupId, attributes }: OutgoingMessage,
  deduplicationId?: string,
): string {
  const isGrouped = groupId !== undefined || deduplicationId !== undefined;
  const grouping = isGrouped ? JSON.stringify({ groupId, deduplicationId }) : '';
  return `${id}\n${grouping}\n${formatAttributes(attributes) ?? ''}\n`;
}

/** A unique text of letters and digits: 122 random bits. */
export function randomText(): string {
  return randomUUID().replaceAll('-', '');
}

/**
 * The Lua code with which scripts return messages: all in one string, which ioredis parses much faster than many strings. Each
 * message consists of its number, its receive count and its record, separated by spaces, and then `separator`, the script's
 * last argument: a random text that occurs in no message. `shownMessages` parses the string.
 */
export const SHOWN = `
local separator = ARGV[#ARGV]
local shown = {}

local function show(number, receive_count, record)
  local end_of_shown = #shown
  shown[end_of_shown + 1] = number .. ' ' .. receive_count .. ' '
  shown[end_of_shown + 2] = record
  shown[end_of_shown + 3] = separator
end

local function all_shown()
  return table.concat(shown)
end
`;

/** A message as returned by a script. */
export interface ShownMessage {
  readonly number: number;
  readonly receiveCount: number;
  readonly record: string;
}

/** Parses the messages that a script returned; `separator` is the one passed to the script. */
export function shownMessages(text: string, separator: string): ShownMessage[] {
  return text.split(separator).slice(0, -1).map(shownMessage);
}

function shownMessage(text: string): ShownMessage {
  const countAt = text.indexOf(' ') + 1;
  const recordAt = text.indexOf(' ', countAt) + 1;
  return {
    number: Number(text.slice(0, countAt - 1)),
    receiveCount: Number(text.slice(countAt, recordAt - 1)),
    record: text.slice(recordAt),
  };
}

/** Converts a returned message to a received one. `receive` is the random text of the receive, for the receipt handle. */
export function receivedMessage(
  { number, receiveCount, record }: ShownMessage,
  receive: string,
  fifo: boolean,
): Message {
  const idAt = record.indexOf(' ') + 1;
  const groupingAt = record.indexOf('\n', idAt) + 1;
  const attributesAt = record.indexOf('\n', groupingAt) + 1;
  const bodyAt = record.indexOf('\n', attributesAt) + 1;
  const message = {
    id: record.slice(idAt, groupingAt - 1),
    body: record.slice(bodyAt),
    receiptHandle: receiptHandle({ number, token: `${receiveCount}_${receive}` }),
    receiveCount,
    attributes: parseAttributes(record.slice(attributesAt, bodyAt - 1)),
    sentAt: Number(record.slice(0, idAt)),
  };
  if (attributesAt === groupingAt + 1) return message;
  const grouping = JSON.parse(record.slice(groupingAt, attributesAt)) as Grouping;
  return { ...message, ...grouping, ...(fifo && { sequenceNumber: sequenceNumber(number) }) };
}
