/** Looks at a queue without changing anything. Each script answers null if there is no such queue. */
import { GROUPS } from './groups.ts';
import { NOW, script } from './script.ts';
import { SHOWN } from './showing.ts';

/** Counts the messages: [visible, in flight, delayed]. */
export const countMessages = script(
  ['queue', 'messages', 'delayed', 'inFlight'],
  NOW,
  `
if redis.call('EXISTS', queue) == 0 then return false end
local in_flight = redis.call('ZCOUNT', inFlight, '(' .. now, '+inf')
local waiting = redis.call('ZCOUNT', delayed, '(' .. now, '+inf')
return { redis.call('HLEN', messages) - in_flight - waiting, in_flight, waiting }
`,
);

/** Reads where messages go that are received too often: [the visibility timeout, its dead-letter queue or null, how often or null]. */
export const readDeadLetterQueue = script(
  ['queue'],
  `
local settings = redis.call('HMGET', queue, 'visibilityTimeout', 'deadLetterQueue', 'maxReceives')
if not settings[1] then return false end
return settings
`,
);

/**
 * Takes the most messages to show and the separator, and answers as showing.ts says. `look_at` says false when these are
 * enough.
 */
const SHOWING = `
local settings = redis.call('HMGET', queue, 'visibilityTimeout', 'retentionSeconds')
if not settings[1] then return false end
local left = tonumber(ARGV[1])
local kept_since = settings[2] and now - 1000 * settings[2]

local function look_at(number)
  local record = redis.call('HGET', messages, number)
  if record and not (kept_since and tonumber(string.match(record, '^%d+')) <= kept_since) then
    local receipt = redis.call('HGET', receipts, number)
    show(number, receipt and string.match(receipt, '^%d+') or 0, record)
    left = left - 1
  end
  return left > 0
end
`;

/** Shows messages of a standard queue that can be received, in their order. */
export const peekStandard = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'receipts'],
  NOW,
  SHOWN,
  SHOWING,
  `
local function look_at_all(numbers)
  for _, number in ipairs(numbers) do
    if not look_at(number) then return false end
  end
  return #numbers > 0
end

local from = 0
while look_at_all(redis.call('LRANGE', visible, from, from + 99)) do from = from + 100 end
-- What has become visible since the last receive is not listed yet.
for _, times in ipairs({ delayed, inFlight }) do
  if left > 0 then
    look_at_all(redis.call('ZRANGE', times, '-inf', now, 'BYSCORE', 'LIMIT', 0, left))
  end
end
return all_shown()
`,
);

/** Shows messages of a FIFO queue that are visible, group by group, those groups first that come next. */
export const peekFifo = script(
  ['queue', 'messages', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  NOW,
  GROUPS,
  SHOWN,
  SHOWING,
  `
local function is_later(times, number)
  local at = redis.call('ZSCORE', times, number)
  return at and tonumber(at) > now
end

for _, group in ipairs(redis.call('ZRANGE', groups, 0, -1)) do
  -- Those in flight are among the first ten.
  for _, number in ipairs(first_of(group, left + 10)) do
    if not is_later(inFlight, number) and not is_later(delayed, number) and not look_at(number) then
      return all_shown()
    end
  end
end
return all_shown()
`,
);
