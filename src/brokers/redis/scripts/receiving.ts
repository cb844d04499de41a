/**
 * Puts the next messages of a queue in flight, and deletes those on the way that are kept no longer.
 *
 * Both scripts take the most messages to hand out, the visibility timeout in seconds ('' for the queue's), and a random text
 * that no other receive and no message has. A message's token is its receive count, an underscore, and this text. They
 * answer null if there is no such queue, else with
 *
 *     [the queue's visibility timeout, its dead-letter queue or null, its maximum of receives or null,
 *      in how many milliseconds to look again: -1 if no message becomes visible by itself,
 *      the messages, as showing.ts has them]
 */
import { GROUPS } from './groups.ts';
import { NOW, script } from './script.ts';
import { SHOWN } from './showing.ts';

/** The most messages that a script moves or looks at in vain, so that others are not kept waiting. */
const AT_ONCE = 100;

const TAKING = `
local settings = redis.call('HMGET', queue, 'visibilityTimeout', 'retentionSeconds', 'deadLetterQueue', 'maxReceives')
if not settings[1] then return false end
local max = tonumber(ARGV[1])
-- Where a number is used often it is a text: each time it would be made one anew, which is slow.
local visible_at = string.format('%d', now + 1000 * (ARGV[2] == '' and settings[1] or ARGV[2]))
local kept_since = settings[2] and now - 1000 * settings[2]
local looked_at, count_of_taken = 0, 0
local new_receipts, new_times = {}, {}

-- Takes a message to be put in flight. False if it is gone, or if it was kept too long and is deleted.
local function take(number, record, receipt, of_group)
  looked_at = looked_at + 1
  if not record then return false end
  if kept_since and tonumber(string.match(record, '^%d+')) <= kept_since then
    redis.call('HDEL', messages, number)
    redis.call('HDEL', receipts, number)
    return false
  end
  local count = receipt and 1 + string.match(receipt, '^%d+') or '1'
  count_of_taken = count_of_taken + 1
  local i = 2 * count_of_taken
  show(number, count, record)
  new_receipts[i - 1], new_receipts[i] = number, count .. '_' .. separator .. of_group
  new_times[i - 1], new_times[i] = visible_at, number
  return true
end

local function put_in_flight()
  if count_of_taken == 0 then return end
  redis.call('HSET', receipts, unpack(new_receipts))
  redis.call('ZADD', inFlight, unpack(new_times))
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
  return { settings[1], settings[3], settings[4], look_in, all_shown() }
end
`;

export const receiveStandard = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'receipts'],
  NOW,
  SHOWN,
  TAKING,
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
  for i, number in ipairs(numbers) do take(number, records[i], known[i], '') end
end
put_in_flight()
return answer(delayed, inFlight)
`,
);

export const receiveFifo = script(
  ['queue', 'messages', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  NOW,
  GROUPS,
  SHOWN,
  TAKING,
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
    if not take(number, record, redis.call('HGET', receipts, number), ' ' .. group) then
      redis.call('ZREM', order, member_of(group, number))
      redis.call('ZREM', inFlight, number)
    end
  end
end
put_in_flight()
for _, group in ipairs(visited) do refresh(group) end
return answer(groups)
`,
);
