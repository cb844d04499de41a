/**
 * A message as it is kept in Redis. Its record is what never changes of it: when it was sent and its id, its message group
 * and deduplication id if it has one, its attributes if it has some, and the body.
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

/** A text that nothing else has: 122 random bits, in letters and digits. */
export function randomText(): string {
  return randomUUID().replaceAll('-', '');
}

/**
 * How scripts answer with messages, in Lua: all as one text, which ioredis reads much faster than many. Each message is its
 * number, its receive count and its record, with a space between these, and then `separator`, the last value that the script
 * takes: a random text, so that no message has it. `shownMessages` reads it.
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

/** A message as the scripts show it. */
export interface ShownMessage {
  readonly number: number;
  readonly receiveCount: number;
  readonly record: string;
}

/** The messages that a script shows, which was given the separator. */
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

/** The message that is shown, with the receipt handle of the receive with the random text `receive`. */
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
