/**
 * A connection to a Redis server, which is made anew when it is lost. A request that was under way then fails: it may have
 * been done, and nobody but the caller knows whether to make it again. One that begins meanwhile waits for the next
 * attempt to connect, and fails with that.
 */
import type { Redis, RedisOptions } from 'ioredis';
import { QueueNotFoundError } from '../errors.ts';
import type { RedisAddress } from './address.ts';
import { isReadOnly, isUnknownScript, redisFailure } from './failures.ts';
import { keyOf, type Script } from './script.ts';

/** How long a connection may take to come about, and an answer to come: ours take some milliseconds. */
const ANSWER_MS = 5_000;
/** After how long without a word the system asks whether the server is still there: who only listens would not notice. */
const KEEP_ALIVE_MS = 10_000;
const LONGEST_PAUSE_MS = 2_000;

export type RedisClass = typeof import('ioredis').Redis;

/** What scripts answer. */
export type Reply = string | number | readonly (Reply | null)[];

export class RedisClient {
  /** For people: `redis://queues.example.com:6379/0`. */
  readonly description: string;
  readonly #redis: Redis;
  /** Why the last attempt to connect failed. */
  #lastError: Error | undefined;

  /** Connects at the first request. */
  constructor(RedisClass: RedisClass, address: RedisAddress) {
    this.description = address.description;
    this.#redis = new RedisClass(optionsOf(address));
    // An error that nobody listens to would be printed. Requests fail with it.
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
    this.#redis.on('ready', () => {
      this.#lastError = undefined;
    });
  }

  /** Runs a script on a queue. Throws a BrokerError: QueueNotFoundError where it answers that there is no such queue. */
  async run<Result extends Reply>(
    { hash, lua, keys }: Script,
    queue: string,
    values: readonly (string | number)[] = [],
  ): Promise<Result> {
    const keysAndValues = [...keys.map((key) => keyOf(queue, key)), ...values];
    const answer = await this.request(async (redis) => {
      try {
        return (await redis.evalsha(hash, keys.length, ...keysAndValues)) as Result | null;
      } catch (error) {
        if (!isUnknownScript(error as Error)) throw error;
        return (await redis.eval(lua, keys.length, ...keysAndValues)) as Result | null;
      }
    });
    if (answer === null) throw new QueueNotFoundError(queue, this.description);
    return answer;
  }

  /** Makes requests of other kinds. Throws a BrokerError. */
  async request<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> {
    try {
      return await work(this.#redis);
    } catch (error) {
      throw redisFailure(this.description, error, this.#lastError);
    }
  }

  /** Lets the requests that are under way end, and closes the connection. */
  async close(): Promise<void> {
    await this.#redis.quit().catch(() => {});
    this.#redis.disconnect();
  }
}

function optionsOf({ host, port, db, username, password, isEncrypted }: RedisAddress) {
  return {
    host,
    port,
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isEncrypted && { tls: {} }),
    lazyConnect: true,
    connectTimeout: ANSWER_MS,
    // A connection to a server that has stopped to answer is no good for the next request either: all fail that wait for it.
    socketTimeout: ANSWER_MS,
    keepAlive: KEEP_ALIVE_MS,
    retryStrategy: (attempts) => Math.min(50 * 2 ** attempts, LONGEST_PAUSE_MS),
    reconnectOnError: isReadOnly,
    // Requests that were under way are not made again, and others wait for one attempt to connect.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // A server that is loading its data says so itself.
    enableReadyCheck: false,
    // All servers and proxies know it, and nothing here needs a newer one.
    protocol: 2,
    disableClientInfo: true,
  } satisfies RedisOptions;
}
