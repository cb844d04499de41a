/**
 * Receives messages: puts the next of a queue in flight, deletes those on the way that are kept no longer, and moves those
 * that were received too often to the dead-letter queue. One script does all of it, so no message is ever in two queues.
 */
import type { Message, ReceiveOptions } from '../broker.ts';
import { isFifoName } from '../rules/queue-name.ts';
import type { RedisClient } from './client.ts';
import { GROUPS } from './groups.ts';
import { randomText, receivedMessage, SHOWN, shownMessages } from './record.ts';
import { KEY_OF, NOW, script } from './script.ts';

/** What a receive found. */
export interface Received {
  readonly messages: Message[];
  /** In how many milliseconds there may be more: -1 if no message becomes visible by itself. */
  readonly lookInMs: number;
  /** The queue's own visibility timeout, in seconds. */
  readonly visibilityTimeout: number;
}

/** Receives what is visible now. Throws a BrokerError. */
export async function receiveNow(
  client: RedisClient,
  queue: string,
  { max, visibilityTimeout }: ReceiveOptions,
): Promise<Received> {
  const fifo = isFifoName(queue);
  const separator = randomText();
  const [ownVisibilityTimeout, lookInMs, shown] = await client.run<[string, number, string]>(
    fifo ? receiveFifo : receiveStandard,
    queue,
    [max, visibilityTimeout ?? '', separator],
  );
  return {
    messages: shownMessages(shown, separator).map((one) => receivedMessage(one, separator, fifo)),
    lookInMs,
    visibilityTimeout: Number(ownVisibilityTimeout),
  };
}

/** The most messages that a script moves, deletes or finds gone, so that others are not kept waiting. */
const AT_ONCE = 100;

/**
 * Both scripts take the most messages to hand out, the visibility timeout in seconds ('' for the queue's), and a random text
 * that no other receive and no message has. A message's token is its receive count, an underscore, and this text. They
 * answer null if there is no such queue, else with
 *
 *     [the queue's visibility timeout,
 *      in how many milliseconds to look again: -1 if no message becomes visible by itself,
 *      the messages, as `SHOWN` has them]
 *
 * `list_in(queue, number, group)` makes a message visible that is new in another queue.
 */
const TAKE = `
local settings = redis.call('HMGET', queue, 'visibilityTimeout', 'retentionSeconds', 'deadLetterQueue', 'maxReceives')
if not settings[1] then return false end
local max = tonumber(ARGV[1])
-- Where a number is used often it is a text: each time it would be made one anew, which is slow.
local visible_at = string.format('%d', now + 1000 * (ARGV[2] == '' and settings[1] or ARGV[2]))
local kept_since = settings[2] and now - 1000 * settings[2]
local looked_at, count_of_taken = 0, 0
local new_receipts, new_times = {}, {}

-- Found out before anything changes: a user may lack the right to that queue. Without it, messages are received as often as
-- they come.
local dead_letter_queue = settings[3] and redis.call('EXISTS', key_of(settings[3], 'queue')) == 1 and settings[3]
local max_receives = dead_letter_queue and tonumber(settings[4])
local has_moved = false

local function forget(number)
  looked_at = looked_at + 1
  redis.call('HDEL', messages, number)
  redis.call('HDEL', receipts, number)
end

-- Puts a message into the dead-letter queue, as it was sent and not received yet.
local function move(record, group)
  local number = redis.call('HINCRBY', key_of(dead_letter_queue, 'queue'), 'number', 1)
  redis.call('HSET', key_of(dead_letter_queue, 'messages'), number, record)
  list_in(dead_letter_queue, number, group)
  has_moved = true
end

-- Takes a message to be put in flight; 'group' is nil on standard queues. False if it is not to be received: it is gone, was
-- kept too long, or was received too often.
local function take(number, record, receipt, group)
  if not record then
    looked_at = looked_at + 1
    return false
  end
  if kept_since and tonumber(string.match(record, '^%d+')) <= kept_since then
    forget(number)
    return false
  end
  local count = receipt and 1 + string.match(receipt, '^%d+') or 1
  if max_receives and count > max_receives then
    forget(number)
    move(record, group)
    return false
  end
  looked_at = looked_at + 1
  count_of_taken = count_of_taken + 1
  local i = 2 * count_of_taken
  show(number, count, record)
  new_receipts[i - 1], new_receipts[i] = number, count .. '_' .. separator .. (group and ' ' .. group or '')
  new_times[i - 1], new_times[i] = visible_at, number
  return true
end

local function put_in_flight()
  if count_of_taken == 0 then return end
  redis.call('HSET', receipts, unpack(new_receipts))
  redis.call('ZADD', inFlight, unpack(new_times))
end

-- Wakes those who wait for dead letters. A user may lack the right to do that, and they then find them later.
local function announce_dead_letters()
  if has_moved then redis.pcall('PUBLISH', key_of(dead_letter_queue, 'queue'), '') end
end

-- The answer. Messages become visible by themselves at the times in these sorted sets.
local function answer(...)
  local look_in = -1
  if looked_at > 0 then
    -- Behind those that were in the way there may be more.
    look_in = 0
  else
    for _, times in ipairs({ ... }) do
      local first = redis.call('ZRANGE', times, 0, 0, 'WITHSCORES')[2]
      local left = first and math.max(first - now, 0)
      if left and (look_in < 0 or left < look_in) then look_in = left end
    end
  end
  return { settings[1], look_in, all_shown() }
end
`;

const receiveStandard = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'receipts'],
  NOW,
  KEY_OF,
  SHOWN,
  `
local function list_in(name, number)
  redis.call('RPUSH', key_of(name, 'visible'), number)
end
`,
  TAKE,
  `
-- Lists messages as visible that have become it.
local now_text = string.format('%d', now)
local function list_due(times)
  local due = redis.call('ZRANGE', times, '-inf', now_text, 'BYSCORE', 'LIMIT', '0', '${AT_ONCE}')
  if #due > 0 then
    redis.call('ZREM', times, unpack(due))
    redis.call('RPUSH', visible, unpack(due))
  end
end
list_due(delayed)
list_due(inFlight)

while count_of_taken < max and looked_at < ${AT_ONCE} do
  local numbers = redis.call('LPOP', visible, max - count_of_taken)
  if not numbers then break end
  local records = redis.call('HMGET', messages, unpack(numbers))
  local known = redis.call('HMGET', receipts, unpack(numbers))
  -- Some may be gone: deleted while they were visible.
  for i, number in ipairs(numbers) do take(number, records[i], known[i]) end
end
put_in_flight()
announce_dead_letters()
return answer(delayed, inFlight)
`,
);

const receiveFifo = script(
  ['queue', 'messages', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  NOW,
  GROUPS,
  KEY_OF,
  SHOWN,
  `
local function list_in(name, number, group)
  append(key_of(name, 'order'), key_of(name, 'groups'), group, number, now)
end
`,
  TAKE,
  `
local visited = {}
for _, group in ipairs(redis.call('ZRANGE', groups, '-inf', now, 'BYSCORE', 'LIMIT', 0, max)) do
  if count_of_taken == max then break end
  visited[#visited + 1] = group
  for _, number in ipairs(first_of(group, max - count_of_taken)) do
    local delayed_until = redis.call('ZSCORE', delayed, number)
    if delayed_until and tonumber(delayed_until) > now then break end
    redis.call('ZREM', delayed, number)
    local record = redis.call('HGET', messages, number)
    if not take(number, record, redis.call('HGET', receipts, number), group) then
      redis.call('ZREM', order, member_of(group, number))
      redis.call('ZREM', inFlight, number)
    end
  end
end
put_in_flight()
announce_dead_letters()
for _, group in ipairs(visited) do refresh(group) end
return answer(groups)
`,
);
