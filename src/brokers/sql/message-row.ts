/** A message as it stands in the table, and as it is received. */

import type { Message } from '../broker.ts';
import { parseAttributes } from '../rules/attributes-text.ts';
import { isFifoName } from '../rules/queue-name.ts';
import { receiptHandle } from '../rules/receipt-handle.ts';
import { sequenceNumber } from '../rules/sqs-rules.ts';
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
