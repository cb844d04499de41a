/** A broker on a Redis server, which many processes on many machines can share. */
import type { Broker, CreateOptions, Queue } from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { PendingPolls } from '../pending-polls.ts';
import { MAX_DATABASE_DELAY_SECONDS } from '../rules/limits.ts';
import { checkCreate, DEFAULT_SETTINGS } from '../rules/sqs-rules.ts';
import type { RedisClient } from './client.ts';
import { RedisQueue, type Shared } from './queue.ts';
import { type Key, keyOf, MESSAGE_KEYS, script } from './script.ts';
import { Subscriber } from './subscriber.ts';

/** The set of all queue names, which may include removed queues: a queue exists if its `queue` key does. */
const NAMES = 'sqs-containers:queues';

export class RedisBroker implements Broker {
  readonly description: string;
  readonly maxDelaySeconds = MAX_DATABASE_DELAY_SECONDS;
  readonly makesQueues = true;
  readonly #shared: Shared;

  /** `listener` is a separate client for subscriptions; it connects when the first long poll waits. */
  constructor(client: RedisClient, listener: RedisClient) {
    this.description = client.description;
    // No watch to start and stop: once subscribed, the subscriber reports changes all the time.
    const polls = new PendingPolls(() => () => {});
    const subscriber = new Subscriber(listener, (queue) => polls.wake(queue));
    this.#shared = { client, polls, subscriber, list: () => this.list() };
  }

  /** Opens a queue; creates it with SQS's defaults if it does not exist. */
  async open(name: string): Promise<Queue> {
    const settings = await this.#make(name, {});
    return new RedisQueue(
      name,
      {
        visibilityTimeout: Number(settings.get('visibilityTimeout')),
        contentBasedDeduplication: settings.get('contentBasedDeduplication') === '1',
      },
      this.#shared,
    );
  }

  async create(name: string, options: CreateOptions = {}): Promise<void> {
    await this.#make(name, options);
  }

  /** Removes the name from the set first, because creating a queue adds the name last: so no existing queue goes unlisted. */
  async remove(name: string): Promise<void> {
    const { client } = this.#shared;
    await client.request((redis) => redis.srem(NAMES, name));
    await client.run(removeQueue, name);
  }

  async list(prefix = ''): Promise<string[]> {
    const { client } = this.#shared;
    const listed = await client.request((redis) => redis.smembers(NAMES));
    const names = listed.filter((name) => name.startsWith(prefix)).sort();
    const exist = await Promise.all(names.map((name) => this.#exists(name)));
    return names.filter((_, index) => exist[index]);
  }

  async close(): Promise<void> {
    const { client, subscriber, polls } = this.#shared;
    polls.close();
    await Promise.all([client.close(), subscriber.close()]);
  }

  async #exists(name: string): Promise<boolean> {
    return (await this.#shared.client.request((redis) => redis.exists(keyOf(name, 'queue')))) === 1;
  }

  /** Creates the queue if it does not exist, and updates the given settings. Resolves with all settings. */
  async #make(name: string, options: CreateOptions): Promise<ReadonlyMap<string, string>> {
    checkCreate(name, options, this.maxDelaySeconds);
    const { deadLetterQueue } = options;
    if (deadLetterQueue && !(await this.#exists(deadLetterQueue.name))) {
      throw new QueueNotFoundError(deadLetterQueue.name, this.description);
    }
    const { client } = this.#shared;
    const defaults = fieldsOf(DEFAULT_SETTINGS);
    const values = [defaults.length / 2, ...defaults, ...fieldsOf(options)];
    const all = await client.run<string[]>(makeQueue, name, values);
    await client.request(async (redis) => {
      // Check first: a server that is out of memory still answers reads, but refuses writes.
      if (!(await redis.sismember(NAMES, name))) await redis.sadd(NAMES, name);
    });
    return new Map(
      Array.from({ length: all.length / 2 }, (_, index) => [all[2 * index]!, all[2 * index + 1]!]),
    );
  }
}

/** The name and value of each given setting, as a flat list. */
function fieldsOf({ deadLetterQueue, ...options }: CreateOptions): (string | number)[] {
  const settings = {
    ...options,
    contentBasedDeduplication:
      options.contentBasedDeduplication === undefined ? undefined : Number(options.contentBasedDeduplication),
    deadLetterQueue: deadLetterQueue?.name,
    maxReceives: deadLetterQueue?.maxReceives,
  };
  return Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

/**
 * Creates the queue if it does not exist, and updates the given settings. Arguments: the number of defaults, the name and
 * value of each default, and the name and value of each given setting. Returns all settings: name, value, name, …
 */
const makeQueue = script(
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

const ALL_KEYS: readonly Key[] = ['queue', ...MESSAGE_KEYS, 'deduplication', 'remembered'];

/** Removes the queue and all its data, and wakes pending long polls so that they notice. */
const removeQueue = script(
  ALL_KEYS,
  `
redis.call('UNLINK', ${ALL_KEYS.join(', ')})
redis.call('PUBLISH', queue, '')
return 1
`,
);
