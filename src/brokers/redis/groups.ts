/**
 * Message groups of FIFO queues, in Lua: for scripts with the keys `order`, `groups`, `delayed` and `inFlight`. Messages in a
 * group are received in order, at most ten at a time and only when none is in flight: so the ones in flight are always among
 * the first ten.
 */

export const GROUPS = `
-- The prefix of a group's members in 'order'. The length distinguishes groups with a common prefix.
local function start_of(group)
  return #group .. ':' .. group .. ':'
end

local function member_of(group, number)
  return start_of(group) .. string.format('%015d', number)
end

-- The numbers of the first messages in a group.
local function first_of(group, count)
  local start = start_of(group)
  local members = redis.call('ZRANGE', order, '[' .. start, '(' .. start .. ':', 'BYLEX', 'LIMIT', 0, count)
  local numbers = {}
  for i, member in ipairs(members) do
    numbers[i] = string.format('%d', tonumber(string.sub(member, #start + 1)))
  end
  return numbers
end

-- Appends a message to its group. 'order_key' and 'groups_key' are the queue's keys 'order' and 'groups'.
local function append(order_key, groups_key, group, number, visible_at)
  redis.call('ZADD', order_key, 0, member_of(group, number))
  -- If the group already has messages, keep the time when they can be received.
  redis.call('ZADD', groups_key, 'NX', visible_at, group)
end

-- Updates when messages in a group can be received: when the last one in flight becomes visible again or, if none is in
-- flight, when the first one becomes visible.
local function refresh(group)
  local first = first_of(group, 10)
  if #first == 0 then
    redis.call('ZREM', groups, group)
    return
  end
  local last
  for _, visible_at in ipairs(redis.call('ZMSCORE', inFlight, unpack(first))) do
    if visible_at and tonumber(visible_at) > now then
      last = math.max(last or 0, tonumber(visible_at))
    end
  end
  redis.call('ZADD', groups, last or redis.call('ZSCORE', delayed, first[1]) or now, group)
end
`;
