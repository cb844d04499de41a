/**
 * Deletes messages and moves when they are visible, by receipt. The scripts decide as `deleteResult` and `changeResult` do
 * (receipt-handle.ts). They answer with what these need to know: null if there is no such queue, else a digit for each
 * message, with what it was before:
 *
 * - 0: gone
 * - 1: not received by this receipt, or by a later one since
 * - 2: visible again, and not received since
 * - 3: in flight by this receipt
 */
import { GROUPS } from './groups.ts';
import { NOW, script } from './script.ts';

const DELETING = `
-- Forgets what queues of both kinds have of these messages.
local function delete_all(numbers)
  redis.call('HDEL', messages, unpack(numbers))
  redis.call('HDEL', receipts, unpack(numbers))
  redis.call('ZREM', inFlight, unpack(numbers))
end
`;

/** Takes the numbers of all messages, then the tokens of all. It answers 2 for 3, too: both may be deleted. */
export const deleteStandard = script(
  ['queue', 'messages', 'inFlight', 'receipts'],
  DELETING,
  `
if redis.call('EXISTS', queue) == 0 then return false end
local count = #ARGV / 2
if count == 0 then return '' end
local known = redis.call('HMGET', receipts, unpack(ARGV, 1, count))
local found, deleted = {}, {}
for i = 1, count do
  if known[i] == ARGV[count + i] then
    found[i] = 2
    deleted[#deleted + 1] = ARGV[i]
  else
    found[i] = known[i] and 1 or redis.call('HEXISTS', messages, ARGV[i])
  end
end
if #deleted > 0 then
  delete_all(deleted)
end
return table.concat(found)
`,
);

const HOLDING = `
if redis.call('EXISTS', queue) == 0 then return false end
local found, changed_groups = {}, {}

-- What the message is for the one who has the token, and its group.
local function look_at(number, token, receipt, visible_at)
  if not receipt then return redis.call('HEXISTS', messages, number) end
  local last, group = string.match(receipt, '^(%S+) ?(.*)$')
  if last ~= token then return 1 end
  return visible_at and tonumber(visible_at) > now and 3 or 2, group
end

-- Lists the groups again by when their messages can be received.
local function refresh_groups()
  for group in pairs(changed_groups) do refresh(group) end
end
`;

/** Takes the numbers of all messages, then the tokens of all. */
export const deleteFifo = script(
  ['queue', 'messages', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  NOW,
  GROUPS,
  HOLDING,
  DELETING,
  `
local count = #ARGV / 2
if count == 0 then return '' end
local known = redis.call('HMGET', receipts, unpack(ARGV, 1, count))
local times = redis.call('ZMSCORE', inFlight, unpack(ARGV, 1, count))
local deleted = {}
for i = 1, count do
  local number, group = ARGV[i]
  found[i], group = look_at(number, ARGV[count + i], known[i], times[i])
  if found[i] == 3 then
    deleted[#deleted + 1] = number
    redis.call('ZREM', order, member_of(group, number))
    changed_groups[group] = true
  end
end
if #deleted > 0 then
  delete_all(deleted)
  refresh_groups()
  redis.call('PUBLISH', queue, '')
end
return table.concat(found)
`,
);

/** Takes '1' for a FIFO queue or '0', then number, token, and seconds from now of each message. */
export const changeVisibilities = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  NOW,
  GROUPS,
  HOLDING,
  `
local is_fifo = ARGV[1] == '1'
local is_any_sooner = false
for i = 2, #ARGV, 3 do
  local number = ARGV[i]
  local visible_at = redis.call('ZSCORE', inFlight, number)
  local held, group = look_at(number, ARGV[i + 1], redis.call('HGET', receipts, number), visible_at)
  if held == 3 then
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
  found[#found + 1] = held
end
refresh_groups()
if is_any_sooner then redis.call('PUBLISH', queue, '') end
return table.concat(found)
`,
);
