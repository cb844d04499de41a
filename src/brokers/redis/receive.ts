/**
 * Receives messages: puts the next ones in flight, deletes expired messages it finds, and moves those that were received too
 * many times to the dead-letter queue. All in one script, so that no message is ever in two queues.
 */
import type { Message, ReceiveOptions } from '../broker.ts';
import { isFifoName } from '../rules/queue-name.ts';
import type { RedisClient } from './client.ts';
import { GROUPS } from './groups.ts';
import { randomText, receivedMessage, SHOWN, shownMessages } from './record.ts';
import { KEY_OF, NOW, script } from './script.ts';

/** The result of a receive. */
export interface Received {
  readonly messages: Message[];
  /** Milliseconds until the next message becomes visible; 0 to retry immediately, -1 if none is waiting. */
  readonly retryInMs: number;
  /** The queue's default visibility timeout, in seconds. */
  readonly visibilityTimeout: number;
}

/** Receives messages that are visible now. Throws a BrokerError. */
export async function receiveNow(
  client: RedisClient,
  queue: string,
  { max, visibilityTimeout }: ReceiveOptions,
): Promise<Received> {
  const fifo = isFifoName(queue);
  const separator = randomText();
  const [ownVisibilityTimeout, retryInMs, shown] = await client.run<[string, number, string]>(
    fifo ? receiveFifo : receiveStandard,
    queue,
    [max, visibilityTimeout ?? '', separator],
  );
  return {
    messages: shownMessages(shown, separator).map((one) => receivedMessage(one, separator, fifo)),
    retryInMs,
    visibilityTimeout: Number(ownVisibilityTimeout),
  };
}

/** The maximum number of messages that one script moves, deletes or skips, so that it does not block other clients. */
const AT_ONCE = 100;

/**
 * Arguments of both scripts: the maximum number of messages, the visibility timeout in seconds ('' for the queue's default),
 * and a random text that is unique to this receive and occurs in no message. A message's token is its receive count, an
 * underscore, and this text. The scripts return null if the queue does not exist, or else
 *
 *     [the queue's visibility timeout,
 *      milliseconds until the next receive makes sense: -1 if no message is waiting to become visible,
 *      the messages, in the format of `SHOWN`]
 *
 * `list_in(queue, number, group)` makes a message visible that was moved to another queue.
 */
const TAKE = `
local settings = redis.call('HMGET', queue, 'visibilityTimeout', 'retentionSeconds', 'deadLetterQueue', 'maxReceives')
if not settings[1] then return false end
local max = tonumber(ARGV[1])
-- Numbers that are used often are kept as strings, because converting them each time is slow.
local visible_at = string.format('%d', now + 1000 * (ARGV[2] == '' and settings[1] or ARGV[2]))
local kept_since = settings[2] and now - 1000 * settings[2]
local looked_at, count_of_taken = 0, 0
local new_receipts, new_times = {}, {}

-- Checked before anything changes, because the user may lack permission for that queue. If it does not exist, messages are
-- received without a limit.
local dead_letter_queue = settings[3] and redis.call('EXISTS', key_of(settings[3], 'queue')) == 1 and settings[3]
local max_receives = dead_letter_queue and tonumber(settings[4])
local has_moved = false

local function forget(number)
  looked_at = looked_at + 1
  redis.call('HDEL', messages, number)
  redis.call('HDEL', receipts, number)
end

-- Adds a message to the dead-letter queue, as originally sent and not received yet.
local function move(record, group)
  local number = redis.call('HINCRBY', key_of(dead_letter_queue, 'queue'), 'number', 1)
  redis.call('HSET', key_of(dead_letter_queue, 'messages'), number, record)
  list_in(dead_letter_queue, number, group)
  has_moved = true
end

-- Takes a message to put it in flight; 'group' is nil on standard queues. Returns false if the message must not be received:
-- it is deleted, has expired, or was received too many times.
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

-- Wakes long polls on the dead-letter queue. If the user lacks permission, they find the messages later.
local function announce_dead_letters()
  if has_moved then redis.pcall('PUBLISH', key_of(dead_letter_queue, 'queue'), '') end
end

-- The result. The arguments are sorted sets with the times at which messages become visible.
local function answer(...)
  local look_in = -1
  if looked_at > 0 then
    -- Messages were removed or skipped: there may be more after them.
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
-- Moves messages that have become visible to the list of visible ones.
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
  -- Some may have been deleted while they were visible.
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
