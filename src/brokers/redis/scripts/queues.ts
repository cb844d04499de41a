/** Makes a queue and changes its settings, empties it, and removes it. */
import { type Key, script } from './script.ts';

/**
 * Makes the queue if there is none, and changes the settings that are given. Takes the number of defaults, then name and
 * value of each, then those of the settings that are given. Answers with all settings: name, value, name, …
 */
export const makeQueue = script(
  ['queue'],
  `
local given = 2 + 2 * ARGV[1]
if redis.call('EXISTS', queue) == 0 then
  redis.call('HSET', queue, unpack(ARGV, 2, given - 1))
end
if ARGV[given] then
  redis.call('HSET', queue, unpack(ARGV, given))
end
return redis.call('HGETALL', queue)
`,
);

/** What is emptied when the messages go. What is remembered of those that were sent stays. */
const MESSAGES: readonly Key[] = [
  'messages',
  'visible',
  'delayed',
  'inFlight',
  'receipts',
  'order',
  'groups',
];
const REST: readonly Key[] = ['deduplication', 'remembered', 'arrived'];

/** Deletes all messages at once: the server frees their memory on the side. Answers null if there is no such queue. */
export const purgeQueue = script(
  ['queue', ...MESSAGES],
  `
if redis.call('EXISTS', queue) == 0 then return false end
redis.call('UNLINK', ${MESSAGES.join(', ')})
return 1
`,
);

/** Removes the queue with all that it has, and wakes those who wait for messages so that they learn of it. */
export const removeQueue = script(
  ['queue', ...MESSAGES, ...REST],
  `
redis.call('UNLINK', queue, ${[...MESSAGES, ...REST].join(', ')})
redis.call('PUBLISH', queue, '')
return 1
`,
);
