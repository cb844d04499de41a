/** A Lua script that Redis runs as one step: nobody sees a part of what it does. */
import { createHash } from 'node:crypto';

/**
 * What a queue consists of; `sqs-containers:{orders}:visible` is a key of the queue `orders`. A script that moves a dead letter
 * also uses the keys of another queue, so all queues must be on one server: a cluster cannot have them.
 */
export type Key =
  /** Hash: the settings, and `number`, that of the last message. Also the name of the channel that tells of changes. */
  | 'queue'
  /** Hash: each message's record (`record.ts`) by its number. */
  | 'messages'
  /** List: the numbers of messages that can be received, on standard queues. Some may be deleted already. */
  | 'visible'
  /** Sorted set: the numbers of messages with a delay, by the time when it ends. */
  | 'delayed'
  /** Sorted set: the numbers of messages that were received, by the time when they are visible again. */
  | 'inFlight'
  /** Hash: the token of a message's last receive, and on FIFO queues its group; by its number. */
  | 'receipts'
  /** Sorted set: the messages of FIFO queues, in the order within their groups (`groups.ts`). */
  | 'order'
  /** Sorted set: the message groups with messages, by the time from when some can be received. */
  | 'groups'
  /** Hash: what was sent with a deduplication id: the id and the number of the message. */
  | 'deduplication'
  /** Sorted set: deduplication ids, by the time until which they are remembered. */
  | 'remembered';

/** The keys of a queue's messages. What is remembered of those that were sent is not among them. */
export const MESSAGE_KEYS: readonly Key[] = [
  'messages',
  'visible',
  'delayed',
  'inFlight',
  'receipts',
  'order',
  'groups',
];

export interface Script {
  readonly keys: readonly Key[];
  readonly lua: string;
  /** By which the server knows the text, once it has run it. */
  readonly hash: string;
}

/** The time in `now`: milliseconds since the epoch, on the server's clock. */
export const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** A script whose body has its keys in variables of the same names. */
export function script(keys: readonly Key[], ...body: readonly string[]): Script {
  const values = keys.map((_, index) => `KEYS[${index + 1}]`);
  const lua = [`local ${keys.join(', ')} = ${values.join(', ')}`, ...body].join('\n');
  return { keys, lua, hash: createHash('sha1').update(lua).digest('hex') };
}

/** `keyOf` in Lua, for a queue whose name only the script finds out. */
export const KEY_OF = `
local function key_of(name, key)
  return 'sqs-containers:{' .. name .. '}:' .. key
end
`;

/** The key of a queue in Redis. */
export function keyOf(queue: string, key: Key): string {
  return `sqs-containers:{${queue}}:${key}`;
}
