/** Reads a queue without changing it. The scripts return null if the queue does not exist. */
import type { DeadLetterTarget, QueueCounts, QueueInspection } from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { peekedMessage } from '../rules/messages.ts';
import { isFifoName } from '../rules/queue-name.ts';
import type { RedisClient } from './client.ts';
import { GROUPS } from './groups.ts';
import { randomText, receivedMessage, SHOWN, shownMessages } from './record.ts';
import { NOW, script } from './script.ts';

/** Counts the messages in a queue. Throws a BrokerError, like the other functions here. */
export async function countsOf(client: RedisClient, queue: string): Promise<QueueCounts> {
  const [visible, inFlight, delayed] = await client.run<[number, number, number]>(countMessages, queue);
  return { visible, inFlight, delayed };
}

/** Returns the inspection operations of a queue; `list` returns the names of all queues. */
export function inspection(
  client: RedisClient,
  queue: string,
  list: () => Promise<string[]>,
): QueueInspection {
  const fifo = isFifoName(queue);
  return {
    async peek(max) {
      const separator = randomText();
      const answer = await client.run<string>(fifo ? peekFifo : peekStandard, queue, [max, separator]);
      return shownMessages(answer, separator).map((shown) => peekedMessage(receivedMessage(shown, '', fifo)));
    },
    async oldest() {
      const sentAt = await client.run<number>(findOldest, queue);
      return sentAt === 0 ? undefined : sentAt;
    },
    deadLetterQueue: () => deadLetterTarget(client, queue),
    async deadLetterSources() {
      // Its own dead-letter queue does not matter; reading it fails if the queue was removed.
      const [names] = await Promise.all([list(), deadLetterTarget(client, queue)]);
      const targets = await Promise.all(
        names.map((name) => deadLetterTarget(client, name).catch(undefinedIfMissing)),
      );
      return names.filter((_, index) => targets[index]?.name === queue);
    },
  };
}

/** Reads the dead-letter queue of a queue. */
async function deadLetterTarget(client: RedisClient, queue: string): Promise<DeadLetterTarget | undefined> {
  type Answer = [visibilityTimeout: string, name: string | null, maxReceives: string | null];
  const [, name, maxReceives] = await client.run<Answer>(readDeadLetterQueue, queue);
  return name === null ? undefined : { name, maxReceives: Number(maxReceives) };
}

/** Ignores QueueNotFoundError, for a queue that was removed since it was listed. */
function undefinedIfMissing(error: unknown): undefined {
  if (!(error instanceof QueueNotFoundError)) throw error;
}

/** Returns the counts: [visible, in flight, delayed]. */
const countMessages = script(
  ['queue', 'messages', 'delayed', 'inFlight'],
  NOW,
  `
if redis.call('EXISTS', queue) == 0 then return false end
local in_flight = redis.call('ZCOUNT', inFlight, '(' .. now, '+inf')
local waiting = redis.call('ZCOUNT', delayed, '(' .. now, '+inf')
return { redis.call('HLEN', messages) - in_flight - waiting, in_flight, waiting }
`,
);

/** Reads the dead-letter queue: [visibility timeout, dead-letter queue or null, maximum receive count or null]. */
const readDeadLetterQueue = script(
  ['queue'],
  `
local settings = redis.call('HMGET', queue, 'visibilityTimeout', 'deadLetterQueue', 'maxReceives')
if not settings[1] then return false end
return settings
`,
);

/**
 * Arguments: the maximum number of messages to show, and the separator. Returns messages in the format of `SHOWN`.
 * `look_at` returns false when there are enough.
 */
const SHOW_VISIBLE = `
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

/** Shows visible messages in a standard queue, in the order of delivery. */
const peekStandard = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'receipts'],
  NOW,
  SHOWN,
  SHOW_VISIBLE,
  `
local function look_at_all(numbers)
  for _, number in ipairs(numbers) do
    if not look_at(number) then return false end
  end
  return #numbers > 0
end

local from = 0
while look_at_all(redis.call('LRANGE', visible, from, from + 99)) do from = from + 100 end
-- Messages that became visible since the last receive are not in the list yet.
for _, times in ipairs({ delayed, inFlight }) do
  if left > 0 then
    look_at_all(redis.call('ZRANGE', times, '-inf', now, 'BYSCORE', 'LIMIT', 0, left))
  end
end
return all_shown()
`,
);

/** Shows visible messages in a FIFO queue, group by group, in the order in which the groups will be received. */
const peekFifo = script(
  ['queue', 'messages', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  NOW,
  GROUPS,
  SHOWN,
  SHOW_VISIBLE,
  `
local function is_later(times, number)
  local at = redis.call('ZSCORE', times, number)
  return at and tonumber(at) > now
end

for _, group in ipairs(redis.call('ZRANGE', groups, 0, -1)) do
  -- Messages in flight are among the first ten.
  for _, number in ipairs(first_of(group, left + 10)) do
    if not is_later(inFlight, number) and not is_later(delayed, number) and not look_at(number) then
      return all_shown()
    end
  end
end
return all_shown()
`,
);

/** How many candidates of each kind to check: the messages and groups that became, or will become, visible first. */
const LIKELY = 100;

/**
 * Finds when the oldest message was sent, among the most likely candidates: there is no index by time sent. Returns
 * milliseconds since the epoch, or 0 if there are no messages.
 */
const findOldest = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'order', 'groups'],
  GROUPS,
  `
if redis.call('EXISTS', queue) == 0 then return false end
local oldest
-- Numbers increase in the order of sending. Some of these messages may be deleted.
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
