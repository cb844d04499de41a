/**
 * Takes messages in: those that are sent, each deduplication id once in five minutes on FIFO queues, and dead letters. Each
 * script answers null if there is no such queue.
 */
import { DEDUPLICATION_MS } from '../../rules/sqs-rules.ts';
import { GROUPS } from './groups.ts';
import { NOW, script } from './script.ts';

/**
 * Wakes those who wait for messages. It comes first, for a user may lack the right to do it, and then nothing was done. Who is
 * woken hears of it when the script has ended.
 */
const ANNOUNCE = `redis.call('PUBLISH', queue, '')`;

/** How many old deduplication ids a request forgets: more than come in, and not so many that it takes long. */
const FORGOTTEN_AT_ONCE = 100;

/**
 * Sends messages to a standard queue. Takes three values for each: the delay in seconds ('' for the queue's), the record
 * after its time, and the body.
 */
export const sendStandard = script(
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
 * Sends messages to a FIFO queue. Takes five values for each: the deduplication id, the message group, the message id, the
 * record after its time, and the body. Answers with message id and number of each: of the first one with its deduplication id.
 */
export const sendFifo = script(
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
    append(group, number, visible_at)
    if visible_at > now then redis.call('ZADD', delayed, visible_at, number) end
    sent = id .. ' ' .. number
    redis.call('HSET', deduplication, duplicate_of, sent)
    redis.call('ZADD', remembered, now + ${DEDUPLICATION_MS}, duplicate_of)
  end
  results[#results + 1] = sent
end
-- When nothing is sent for so long, all are old.
redis.call('PEXPIRE', deduplication, ${DEDUPLICATION_MS})
redis.call('PEXPIRE', remembered, ${DEDUPLICATION_MS})
return results
`,
);

/**
 * Takes in dead letters, each once, whatever became of it since. Takes '1' for a FIFO queue and '0' for a standard one, then
 * three values for each: the message id, the message group ('' on standard queues), and the record.
 */
export const acceptDeadLetters = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'order', 'groups', 'arrived'],
  NOW,
  GROUPS,
  `
if redis.call('EXISTS', queue) == 0 then return false end
${ANNOUNCE}
for i = 2, #ARGV, 3 do
  local id, group, record = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if redis.call('SADD', arrived, id) == 1 then
    local number = redis.call('HINCRBY', queue, 'number', 1)
    redis.call('HSET', messages, number, record)
    if ARGV[1] == '1' then
      append(group, number, now)
    else
      redis.call('RPUSH', visible, number)
    end
  end
end
return 1
`,
);

/** Forgets dead letters that came in, by message id: they are deleted where they came from, and cannot come again. */
export const forgetDeadLetters = script(
  ['arrived'],
  `
return redis.call('SREM', arrived, unpack(ARGV))
`,
);
