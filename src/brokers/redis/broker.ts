/** Queues in Redis, which many processes on many machines can share. */
import type { Broker, CreateOptions, Queue } from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { News } from '../news.ts';
import { MAX_DATABASE_DELAY_SECONDS } from '../rules/limits.ts';
import { checkCreate, DEFAULT_SETTINGS } from '../rules/sqs-rules.ts';
import { Bell } from './bell.ts';
import type { RedisClient } from './client.ts';
import { type Means, RedisQueue } from './queue.ts';
import { makeQueue, removeQueue } from './scripts/queues.ts';
import { keyOf } from './scripts/script.ts';

/** The names of all queues, and of some that were removed: a queue exists if its own key does. */
const NAMES = 'sqs-containers:queues';

export class RedisBroker implements Broker {
  readonly description: string;
  readonly maxDelaySeconds = MAX_DATABASE_DELAY_SECONDS;
  readonly makesQueues = true;
  readonly #means: Means;

  /** `listener` is a client of its own for what is heard of others; it connects when something waits. */
  constructor(client: RedisClient, listener: RedisClient) {
    this.description = client.description;
    // What others do is announced all the time, not only while something waits.
    const news = new News(() => () => {});
    const bell = new Bell(listener, (queue) => news.announce(queue));
    this.#means = { client, news, bell, list: () => this.list() };
  }

  /** Opens a queue, made with SQS's defaults if it does not exist. */
  async open(name: string): Promise<Queue> {
    const settings = await this.#make(name, {});
    return new RedisQueue(
      name,
      {
        visibilityTimeout: Number(settings.get('visibilityTimeout')),
        contentBasedDeduplication: settings.get('contentBasedDeduplication') === '1',
      },
      this.#means,
    );
  }

  async create(name: string, options: CreateOptions = {}): Promise<void> {
    await this.#make(name, options);
  }

  /** Takes the name off the list first: a queue that is made at the same time puts it there last. */
  async remove(name: string): Promise<void> {
    const { client } = this.#means;
    await client.request((redis) => redis.srem(NAMES, name));
    await client.run(removeQueue, name);
  }

  async list(prefix = ''): Promise<string[]> {
    const { client } = this.#means;
    const listed = await client.request((redis) => redis.smembers(NAMES));
    const names = listed.filter((name) => name.startsWith(prefix)).sort();
    const exist = await Promise.all(names.map((name) => this.#exists(name)));
    return names.filter((_, index) => exist[index]);
  }

  async close(): Promise<void> {
    const { client, bell, news } = this.#means;
    news.close();
    await Promise.all([client.close(), bell.close()]);
  }

  async #exists(name: string): Promise<boolean> {
    return (await this.#means.client.request((redis) => redis.exists(keyOf(name, 'queue')))) === 1;
  }

  /** Makes the queue if there is none, and changes the settings that are given. Resolves with all settings. */
  async #make(name: string, options: CreateOptions): Promise<ReadonlyMap<string, string>> {
    checkCreate(name, options, this.maxDelaySeconds);
    const { deadLetterQueue } = options;
    if (deadLetterQueue && !(await this.#exists(deadLetterQueue.name))) {
      throw new QueueNotFoundError(deadLetterQueue.name, this.description);
    }
    const { client } = this.#means;
    const defaults = fieldsOf(DEFAULT_SETTINGS);
    const values = [defaults.length / 2, ...defaults, ...fieldsOf(options)];
    const all = await client.run<string[]>(makeQueue, name, values);
    await client.request(async (redis) => {
      // A server without memory answers, but takes nothing more in.
      if (!(await redis.sismember(NAMES, name))) await redis.sadd(NAMES, name);
    });
    return new Map(
      Array.from({ length: all.length / 2 }, (_, index) => [all[2 * index]!, all[2 * index + 1]!]),
    );
  }
}

/** Name and value of each setting that is given, one after the other. */
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
