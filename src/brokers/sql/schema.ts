/** The tables of the queues (`migrations.ts` makes them). Times are milliseconds since the epoch; settings of queues are in seconds. */
import type { Generated, Selectable } from 'kysely';

export interface QueueTable {
  id: Generated<number>;
  name: string;
  visibility_timeout: number;
  delay_seconds: number;
  retention_seconds: number | null;
  /** A name, for that queue may be removed and made again. */
  dead_letter_queue: string | null;
  max_receives: number | null;
  /** 0 or 1. */
  content_based_deduplication: number;
}

export interface MessageTable {
  /** Never used twice, so that a receipt handle never means another message. */
  id: Generated<number>;
  queue_id: number;
  message_id: string;
  /** In UTF-8. Not as text: Postgres takes none with U+0000 in it, and Node 24.15 reads such text cut off. */
  body: Uint8Array;
  /** As JSON (`formatAttributes`). */
  attributes: string | null;
  group_id: string | null;
  deduplication_id: string | null;
  sent_at: number;
  /** From when the message can be received. Later than now: in flight with a receipt, delayed without. */
  visible_at: number;
  receive_count: number;
  /** The token of the receive that handed it out last. */
  receipt: string | null;
}

/** The message groups of FIFO queues that have messages: what to receive next is found by group, not by message. */
export interface MessageGroupTable {
  id: Generated<number>;
  queue_id: number;
  group_id: string;
  /** From when messages of the group can be received (`groups.ts`). */
  visible_at: number;
}

/** What was sent with each deduplication id of the last five minutes (some older ones are left, too). */
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
