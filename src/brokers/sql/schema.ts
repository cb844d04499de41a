/** The queue tables (created by `migrations.ts`). Times are in milliseconds since the epoch; queue settings are in seconds. */
import type { Generated, Selectable } from 'kysely';

export interface QueueTable {
  id: Generated<number>;
  name: string;
  visibility_timeout: number;
  delay_seconds: number;
  retention_seconds: number | null;
  /** A name, not an id, because the queue may be removed and created again. */
  dead_letter_queue: string | null;
  max_receives: number | null;
  /** 0 or 1. */
  content_based_deduplication: number;
}

export interface MessageTable {
  /** Never reused, so that a receipt handle never refers to another message. */
  id: Generated<number>;
  queue_id: number;
  message_id: string;
  /** UTF-8 bytes, not text: Postgres refuses text that contains U+0000, and Node 24.15 truncates it. */
  body: Uint8Array;
  /** JSON (`formatAttributes`). */
  attributes: string | null;
  group_id: string | null;
  deduplication_id: string | null;
  sent_at: number;
  /** When the message can be received. If later than now, it is in flight if it has a receipt, or else delayed. */
  visible_at: number;
  receive_count: number;
  /** The token of the last receive that returned the message. */
  receipt: string | null;
}

/** The message groups of FIFO queues that have messages: receives look up groups, not messages. */
export interface MessageGroupTable {
  id: Generated<number>;
  queue_id: number;
  group_id: string;
  /** When messages in the group can be received (`groups.ts`). */
  visible_at: number;
}

/** The messages sent with each deduplication id in the last five minutes, and some older ones. */
export interface DeduplicationTable {
  id: Generated<number>;
  queue_id: number;
  deduplication_id: string;
  message_id: string;
  message_number: number;
  remembered_until: number;
}

export interface Tables {
  queue: QueueTable;
  message: MessageTable;
  message_group: MessageGroupTable;
  deduplication: DeduplicationTable;
}

export type QueueRow = Selectable<QueueTable>;
export type MessageRow = Selectable<MessageTable>;
