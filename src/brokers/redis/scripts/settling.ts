/**
 * Deletes messages and moves when they are visible, by receipt. Both scripts take '1' for a FIFO queue or '0', and decide as
 * `deleteResult` and `changeResult` do (receipt-handle.ts). They answer with what these need to know: null if there is no
 * such queue, else a digit for each message, with what it was before:
 *
 * - 0: gone
 * - 1: not received by this receipt, or by a later one since
 * - 2: visible again, and not received since
 * - 3: in flight by this receipt
 */
import { GROUPS } from './groups.ts';
import { script } from './script.ts';

const HOLDING = `
if redis.call('EXISTS', queue) == 0 then return false end
local is_fifo = ARGV[1] == '1'
local answer = ''
local changed_groups = {}

-- What the message is for the one who has the token, and its group.
local function look_at(number, token, receipt, visible_at)
  if not receipt then return redis.call('HEXISTS', messages, number) end
  local last, group = string.match(receipt, '^%d+ (%w+) (.*)$')
  if last ~= token then return 1 end
  return visible_at and tonumber(visible_at) > now and 3 or 2, group
end
`;

/** Then takes number and token of each message. */
export const deleteMessages = script(
  ['queue', 'messages', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  GROUPS,
  HOLDING,
  `
local numbers, deleted = {}, {}
for i = 2, #ARGV, 2 do numbers[i / 2] = ARGV[i] end
if #numbers == 0 then return answer end
local known = redis.call('HMGET', receipts, unpack(numbers))
local times = redis.call('ZMSCORE', inFlight, unpack(numbers))
for i, number in ipairs(numbers) do
  local found, group = look_at(number, ARGV[2 * i + 1], known[i], times[i])
  if found == 3 or found == 2 and not is_fifo then
    deleted[#deleted + 1] = number
    if is_fifo then
      redis.call('ZREM', order, member_of(group, number))
      changed_groups[group] = true
    end
  end
  answer = answer .. found
end
if #deleted > 0 then
  redis.call('HDEL', messages, unpack(deleted))
  redis.call('HDEL', receipts, unpack(deleted))
  redis.call('ZREM', inFlight, unpack(deleted))
end
for group in pairs(changed_groups) do refresh(group) end
if next(changed_groups) then redis.call('PUBLISH', queue, '') end
return answer
`,
);

/** Then takes number, token, and seconds from now of each message. */
export const changeVisibilities = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  GROUPS,
  HOLDING,
  `
local is_any_sooner = false
for i = 2, #ARGV, 3 do
  local number = ARGV[i]
  local visible_at = redis.call('ZSCORE', inFlight, number)
  local found, group = look_at(number, ARGV[i + 1], redis.call('HGET', receipts, number), visible_at)
  if found == 3 then
    local seconds = tonumber(ARGV[i + 2])
    if seconds > 0 then
      redis.call('ZADD', inFlight, now + seconds * 1000, number)
    else
      redis.call('ZREM', inFlight, number)
      if not is_fifo then redis.call('RPUSH', visible, number) end
    end
    if is_fifo then changed_groups[group] = true end
    is_any_sooner = is_any_sooner or now + seconds * 1000 < tonumber(visible_at)
  end
  answer = answer .. found
end
for group in pairs(changed_groups) do refresh(group) end
if is_any_sooner then redis.call('PUBLISH', queue, '') end
return answer
`,
);
