/** Sends messages (on FIFO queues, each deduplication id once in five minutes). The scripts return null if the queue is missing. */
import { randomUUID } from 'node:crypto';
import type { OutgoingMessage, SendResult } from '../broker.ts';
import { DEDUPLICATION_MS, deduplicationId, sequenceNumber } from '../rules/sqs-rules.ts';
import type { RedisClient } from './client.ts';
import { GROUPS } from './groups.ts';
import { formatHead } from './record.ts';
import { NOW, script } from './script.ts';

/** Sends messages to a standard queue. Resolves with a result for each, in order. Throws a BrokerError. */
export async function sendToStandard(
  client: RedisClient,
  queue: string,
  messages: readonly OutgoingMessage[],
): Promise<SendResult[]> {
  const ids = messages.map(() => randomUUID());
  const values = messages.flatMap((message, index) => [
    message.delaySeconds ?? '',
    formatHead(ids[index]!, message, message.deduplicationId),
    message.body,
  ]);
  await client.run(sendStandard, queue, values);
  return ids.map((messageId) => ({ ok: true, messageId }));
}

/** Sends messages to a FIFO queue: a message with a known deduplication id is accepted and dropped. */
export async function sendToFifo(
  client: RedisClient,
  queue: string,
  messages: readonly OutgoingMessage[],
): Promise<SendResult[]> {
  const values = messages.flatMap((message) => {
    const id = randomUUID();
    const duplicateOf = deduplicationId(message);
    return [duplicateOf, message.groupId!, id, formatHead(id, message, duplicateOf), message.body];
  });
  const sent = await client.run<string[]>(sendFifo, queue, values);
  return sent.map((text) => {
    const [messageId, number] = text.split(' ') as [string, string];
    return { ok: true, messageId, sequenceNumber: sequenceNumber(Number(number)) };
  });
}

/**
 * Wakes long polls. It runs first because it fails if the user lacks permission, and then nothing has changed yet. Subscribers
 * are notified only after the script has finished.
 */
const ANNOUNCE = `redis.call('PUBLISH', queue, '')`;

/** How many old deduplication ids a request deletes: more than it adds, but few enough to be fast. */
const FORGOTTEN_AT_ONCE = 100;

/**
 * Sends messages to a standard queue. Arguments for each message: the delay in seconds ('' for the queue's default), the
 * record after its time, and the body.
 */
const sendStandard = script(
  ['queue', 'messages', 'visible', 'delayed'],
  NOW,
  `
local default_delay = redis.call('HGET', queue, 'delaySeconds')
if not default_delay then return false end
${ANNOUNCE}
local number = redis.call('HINCRBY', queue, 'number', #ARGV / 3) - #ARGV / 3
local sent_at = string.format('%d', now)
local fields, visible_now = {}, {}
for i = 1, #ARGV, 3 do
  number = number + 1
  local field = string.format('%d', number)
  fields[#fields + 1] = field
  fields[#fields + 1] = sent_at .. ' ' .. ARGV[i + 1] .. ARGV[i + 2]
  local delay = tonumber(ARGV[i] == '' and default_delay or ARGV[i])
  if delay > 0 then
    redis.call('ZADD', delayed, now + delay * 1000, field)
  else
    visible_now[#visible_now + 1] = field
  end
end
if #fields > 0 then redis.call('HSET', messages, unpack(fields)) end
if #visible_now > 0 then redis.call('RPUSH', visible, unpack(visible_now)) end
return 1
`,
);

/**
 * Sends messages to a FIFO queue. Arguments for each message: the deduplication id, the message group, the message id, the
 * record after its time, and the body. Returns the message id and number for each: those of the first message with its
 * deduplication id.
 */
const sendFifo = script(
  ['queue', 'messages', 'delayed', 'inFlight', 'order', 'groups', 'deduplication', 'remembered'],
  NOW,
  GROUPS,
  `
local delay = redis.call('HGET', queue, 'delaySeconds')
if not delay then return false end
${ANNOUNCE}
local visible_at = now + delay * 1000

local old = redis.call('ZRANGE', remembered, '-inf', now, 'BYSCORE', 'LIMIT', 0, ${FORGOTTEN_AT_ONCE})
if #old > 0 then
  redis.call('ZREM', remembered, unpack(old))
  redis.call('HDEL', deduplication, unpack(old))
end

local results = {}
for i = 1, #ARGV, 5 do
  local duplicate_of, group, id = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local remembered_until = redis.call('ZSCORE', remembered, duplicate_of)
  local sent = remembered_until and tonumber(remembered_until) > now and redis.call('HGET', deduplication, duplicate_of)
  if not sent then
    local number = redis.call('HINCRBY', queue, 'number', 1)
    redis.call('HSET', messages, number, now .. ' ' .. ARGV[i + 3] .. ARGV[i + 4])
    append(order, groups, group, number, visible_at)
    if visible_at > now then redis.call('ZADD', delayed, visible_at, number) end
    sent = id .. ' ' .. number
    redis.call('HSET', deduplication, duplicate_of, sent)
    redis.call('ZADD', remembered, now + ${DEDUPLICATION_MS}, duplicate_of)
  end
  results[#results + 1] = sent
end
-- If nothing is sent for that long, all ids have expired.
redis.call('PEXPIRE', deduplication, ${DEDUPLICATION_MS})
redis.call('PEXPIRE', remembered, ${DEDUPLICATION_MS})
return results
`,
);
