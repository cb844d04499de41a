/**
 * Deletes messages and moves when they are visible, by receipt. Both scripts decide as `deleteResult` and `changeResult` do
 * (receipt-handle.ts), and answer with what these need to know: null if there is no such queue, else for each message what
 * it was before: its token and whether it was in flight ('1' or '0'), or null if it was gone.
 */
import { GROUPS } from './groups.ts';
import { script } from './script.ts';

const HOLDING = `
if redis.call('EXISTS', queue) == 0 then return false end
local is_fifo = ARGV[1] == '1'
local found = {}
local changed_groups = {}

-- The token, the group, and the time when it is visible again if it is in flight. Nothing if the message is gone.
local function look_at(number)
  local receipt = redis.call('HGET', receipts, number)
  if not receipt then
    local is_there = redis.call('HEXISTS', messages, number) == 1
    found[#found + 1] = is_there and { '', '0' }
    return
  end
  local token, group = string.match(receipt, '^%d+ (%w+) (.*)$')
  local visible_at = tonumber(redis.call('ZSCORE', inFlight, number) or 0)
  local is_in_flight = visible_at > now
  found[#found + 1] = { token, is_in_flight and '1' or '0' }
  return token, group, is_in_flight and visible_at
end
`;

/** Takes '1' for a FIFO queue or '0', then number and token of each message. */
export const deleteMessages = script(
  ['queue', 'messages', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  GROUPS,
  HOLDING,
  `
for i = 2, #ARGV, 2 do
  local number = ARGV[i]
  local token, group, visible_at = look_at(number)
  if token == ARGV[i + 1] and (visible_at or not is_fifo) then
    redis.call('HDEL', messages, number)
    redis.call('HDEL', receipts, number)
    redis.call('ZREM', inFlight, number)
    if is_fifo then
      redis.call('ZREM', order, member_of(group, number))
      changed_groups[group] = true
    end
  end
end
for group in pairs(changed_groups) do refresh(group) end
if next(changed_groups) then redis.call('PUBLISH', queue, '') end
return found
`,
);

/** Takes '1' for a FIFO queue or '0', then number, token, and seconds from now of each message. */
export const changeVisibilities = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  GROUPS,
  HOLDING,
  `
local is_any_sooner = false
for i = 2, #ARGV, 3 do
  local number = ARGV[i]
  local token, group, visible_at = look_at(number)
  if token == ARGV[i + 1] and visible_at then
    local seconds = tonumber(ARGV[i + 2])
    if seconds > 0 then
      redis.call('ZADD', inFlight, now + seconds * 1000, number)
    else
      redis.call('ZREM', inFlight, number)
      if not is_fifo then redis.call('RPUSH', visible, number) end
    end
    if is_fifo then changed_groups[group] = true end
    is_any_sooner = is_any_sooner or now + seconds * 1000 < visible_at
  end
end
for group in pairs(changed_groups) do refresh(group) end
if is_any_sooner then redis.call('PUBLISH', queue, '') end
return found
`,
);
