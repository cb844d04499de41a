/** Lua scripts, which Redis runs atomically. */
import { createHash } from 'node:crypto';

/**
 * The keys of a queue; `sqs-containers:{orders}:visible` is a key of the queue `orders`. A script that moves a dead letter
 * also uses the keys of another queue, so all queues must be on one server, not in a cluster.
 */
export type Key =
  /** Hash: the settings, and `number`, the number of the last message. Also the name of the channel for change notifications. */
  | 'queue'
  /** Hash: the records of messages (`record.ts`) by message number. */
  | 'messages'
  /** List: the numbers of visible messages on standard queues. Some of the messages may already be deleted. */
  | 'visible'
  /** Sorted set: the numbers of delayed messages, by the time when the delay ends. */
  | 'delayed'
  /** Sorted set: the numbers of received messages, by the time when they become visible again. */
  | 'inFlight'
  /** Hash: the token of each message's last receive, and on FIFO queues its group, by message number. */
  | 'receipts'
  /** Sorted set: the messages of FIFO queues, in order within their groups (`groups.ts`). */
  | 'order'
  /** Sorted set: the message groups that have messages, by the time when some can be received. */
  | 'groups'
  /** Hash: the id and number of the message sent with each deduplication id. */
  | 'deduplication'
  /** Sorted set: deduplication ids, by the time when they expire. */
  | 'remembered';

/** The keys of a queue's messages, without its settings and deduplication ids. */
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
  /** The SHA-1 of the script, by which the server caches it. */
  readonly hash: string;
}

/** Sets `now` to the time of the server's clock, in milliseconds since the epoch. */
export const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Creates a script; in its body, each key is in a variable with the key's name. */
export function script(keys: readonly Key[], ...body: readonly string[]): Script {
  const values = keys.map((_, index) => `KEYS[${index + 1}]`);
  const lua = [`local ${keys.join(', ')} = ${values.join(', ')}`, ...body].join('\n');
  return { keys, lua, hash: createHash('sha1').update(lua).digest('hex') };
}

/** `keyOf` in Lua, for queues whose names are only known inside the script. */
export const KEY_OF = `
local function key_of(name, key)
  return 'sqs-containers:{' .. name .. '}:' .. key
end
`;

/** The full name of a queue's key in Redis. */
export function keyOf(queue: string, key: Key): string {
  return `sqs-containers:{${queue}}:${key}`;
}
