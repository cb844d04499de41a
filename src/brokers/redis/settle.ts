/** Deletes messages by receipt handle, changes their visibility, and purges queues. */
import type { EntryResult, VisibilityChange } from '../broker.ts';
import { isFifoName } from '../rules/queue-name.ts';
import {
  changeResult,
  deleteResult,
  type HeldMessage,
  parseReceiptHandle,
  type Receipt,
} from '../rules/receipt-handle.ts';
import { changeRefusal } from '../rules/sqs-rules.ts';
import type { RedisClient } from './client.ts';
import { GROUPS } from './groups.ts';
import { MESSAGE_KEYS, NOW, script } from './script.ts';

/** Deletes messages. Resolves with a result for each, in order. */
export async function deleteMessages(
  client: RedisClient,
  queue: string,
  receiptHandles: readonly string[],
): Promise<EntryResult[]> {
  const fifo = isFifoName(queue);
  const receipts = receiptHandles.map(parseReceiptHandle);
  const good = receipts.filter((receipt) => receipt !== undefined);
  const values = [...good.map(({ number }) => number), ...good.map(({ token }) => token)];
  const answer = await client.run<string>(fifo ? deleteFifo : deleteStandard, queue, values);
  const found = heldMessages(receipts, answer);
  return receipts.map((receipt, index) => deleteResult(receipt, found[index], fifo));
}

/** Changes visibility timeouts. Resolves with a result for each, in order. */
export async function changeVisibilities(
  client: RedisClient,
  queue: string,
  changes: readonly VisibilityChange[],
): Promise<EntryResult[]> {
  const receipts = changes.map(({ receiptHandle }) => parseReceiptHandle(receiptHandle));
  const possible = receipts.map((receipt, index) => (changeRefusal(changes[index]!) ? undefined : receipt));
  const values = possible.flatMap((receipt, index) =>
    receipt ? [receipt.number, receipt.token, changes[index]!.seconds] : [],
  );
  const flag = isFifoName(queue) ? '1' : '0';
  const answer = await client.run<string>(changeAll, queue, [flag, ...values]);
  const found = heldMessages(possible, answer);
  return changes.map((change, index) => changeResult(change, receipts[index], found[index]));
}

/** Deletes all messages, including those in flight. */
export async function purgeQueue(client: RedisClient, queue: string): Promise<void> {
  await client.run(purge, queue);
}

/** The message state that a script found for each receipt; undefined where there is no receipt. */
function heldMessages(
  receipts: readonly (Receipt | undefined)[],
  answer: string,
): (HeldMessage | undefined)[] {
  const digits = answer[Symbol.iterator]();
  return receipts.map((receipt) => receipt && heldMessage(receipt, digits.next().value!));
}

/** The message state for a receipt, from the script's digit. */
function heldMessage({ token }: Receipt, digit: string): HeldMessage | undefined {
  if (digit === '0') return undefined;
  return { token: digit === '1' ? null : token, isInFlight: digit === '3' };
}

/*
 * The scripts follow the same rules as `deleteResult` and `changeResult` (receipt-handle.ts), and return the data that these
 * need: null if the queue does not exist, or else one digit for each message, with its state before the script:
 *
 * - 0: deleted
 * - 1: never received with this receipt, or received again since
 * - 2: visible again, and not received since
 * - 3: in flight with this receipt
 */

const DELETE_ALL = `
-- Deletes the data of these messages that both kinds of queues have.
local function delete_all(numbers)
  redis.call('HDEL', messages, unpack(numbers))
  redis.call('HDEL', receipts, unpack(numbers))
  redis.call('ZREM', inFlight, unpack(numbers))
end
`;

/** Arguments: all message numbers, then all tokens. Returns 2 instead of 3, because both may be deleted. */
const deleteStandard = script(
  ['queue', 'messages', 'inFlight', 'receipts'],
  DELETE_ALL,
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

const HELD = `
if redis.call('EXISTS', queue) == 0 then return false end
local found, changed_groups = {}, {}

-- The digit for a message and the holder of the token, and the message's group.
local function look_at(number, token, receipt, visible_at)
  if not receipt then return redis.call('HEXISTS', messages, number) end
  local last, group = string.match(receipt, '^(%S+) ?(.*)$')
  if last ~= token then return 1 end
  return visible_at and tonumber(visible_at) > now and 3 or 2, group
end

-- Updates when messages in the changed groups can be received.
local function refresh_groups()
  for group in pairs(changed_groups) do refresh(group) end
end
`;

/** Arguments: all message numbers, then all tokens. */
const deleteFifo = script(
  ['queue', 'messages', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  NOW,
  GROUPS,
  HELD,
  DELETE_ALL,
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

/** Arguments: '1' for a FIFO queue or '0', then the number, token, and seconds from now for each message. */
const changeAll = script(
  ['queue', 'messages', 'visible', 'delayed', 'inFlight', 'receipts', 'order', 'groups'],
  NOW,
  GROUPS,
  HELD,
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

/** Deletes all messages at once; the server frees memory in the background. Returns null if the queue does not exist. */
const purge = script(
  ['queue', ...MESSAGE_KEYS],
  `
if redis.call('EXISTS', queue) == 0 then return false end
redis.call('UNLINK', ${MESSAGE_KEYS.join(', ')})
return 1
`,
);
