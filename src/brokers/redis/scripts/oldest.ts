/** Finds when the oldest message of a queue was sent, by those that are likely to be it: there is no index by that time. */
import { GROUPS } from './groups.ts';
import { script } from './script.ts';

/** How many messages, or groups, of each kind are looked at: those that were, or will be, visible first. */
const LIKELY = 100;

/** Answers with milliseconds since the epoch, 0 without messages, null if there is no such queue. */
export const findOldest = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'order', 'groups'],
  GROUPS,
  `
if redis.call('EXISTS', queue) == 0 then return false end
local oldest
-- Numbers grow with the time of sending. Some of these messages may be gone.
local function look_at(numbers)
  for _, number in ipairs(numbers) do
    local is_older = not oldest or tonumber(number) < tonumber(oldest)
    if is_older and redis.call('HEXISTS', messages, number) == 1 then oldest = number end
  end
end
look_at(redis.call('LRANGE', visible, 0, ${LIKELY - 1}))
look_at(redis.call('ZRANGE', delayed, 0, ${LIKELY - 1}))
look_at(redis.call('ZRANGE', inFlight, 0, ${LIKELY - 1}))
for _, group in ipairs(redis.call('ZRANGE', groups, 0, ${LIKELY - 1})) do look_at(first_of(group, 1)) end
if not oldest then return 0 end
return tonumber(string.match(redis.call('HGET', messages, oldest), '^%d+'))
`,
);
