/**
 * Message groups of FIFO queues, in Lua: for scripts with the keys `order`, `groups`, `delayed` and `inFlight`. The messages
 * of a group are handed out from the first on, at most ten at once and only when none is in flight: so those in flight are
 * always among the first ten.
 */

export const GROUPS = `
-- What the members of 'order' begin with that are of one group. The length tells groups apart that begin alike.
local function start_of(group)
  return #group .. ':' .. group .. ':'
end

local function member_of(group, number)
  return start_of(group) .. string.format('%015d', number)
end

-- The numbers of the first messages of a group.
local function first_of(group, count)
  local start = start_of(group)
  local members = redis.call('ZRANGE', order, '[' .. start, '(' .. start .. ':', 'BYLEX', 'LIMIT', 0, count)
  local numbers = {}
  for i, member in ipairs(members) do
    numbers[i] = string.format('%d', tonumber(string.sub(member, #start + 1)))
  end
  return numbers
end

-- Puts a message at the end of its group; the first two are the keys 'order' and 'groups' of its queue.
local function append(order_key, groups_key, group, number, visible_at)
  redis.call('ZADD', order_key, 0, member_of(group, number))
  -- A group that has messages already is listed by when these can be received.
  redis.call('ZADD', groups_key, 'NX', visible_at, group)
end

-- Lists a group by when its messages can be received: when the last that is in flight is visible again; with none in
-- flight, when the first is visible.
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
