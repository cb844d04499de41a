/**
 * A connection to a Redis server that reconnects when it is lost. Pending requests then fail: the server may have executed
 * them, and only the caller knows whether to retry. A request that starts while disconnected waits for the next attempt to
 * connect, and fails if the attempt fails.
 */
import type { Redis, RedisOptions } from 'ioredis';
import { QueueNotFoundError } from '../errors.ts';
import type { RedisAddress } from './address.ts';
import { isReadOnly, isUnknownScript, redisFailure } from './failures.ts';
import { keyOf, type Script } from './script.ts';

/** The timeout for connecting and for answers, which normally take a few milliseconds. */
const ANSWER_MS = 5_000;
/** How long a connection is idle before TCP keep-alive checks the server: a connection that only listens needs it. */
const KEEP_ALIVE_MS = 10_000;
const LONGEST_PAUSE_MS = 2_000;

export type RedisClass = typeof import('ioredis').Redis;

/** The return values of scripts. */
export type Reply = string | number | readonly (Reply | null)[];

export class RedisClient {
  /** For log and error messages: `redis://queues.example.com:6379/0`. */
  readonly description: string;
  readonly #redis: Redis;
  /** Why the last attempt to connect failed. */
  #lastError: Error | undefined;

  /** Connects at the first request. */
  constructor(RedisClass: RedisClass, address: RedisAddress) {
    this.description = address.description;
    this.#redis = new RedisClass(optionsOf(address));
    // Without a listener ioredis prints errors. The requests fail with them anyway.
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
    this.#redis.on('ready', () => {
      this.#lastError = undefined;
    });
  }

  /** Runs a script on a queue. Throws a BrokerError: QueueNotFoundError if the script returns null. */
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

  /** Runs other requests. Throws a BrokerError. */
  async request<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result> {
    try {
      return await work(this.#redis);
    } catch (error) {
      throw redisFailure(this.description, error, this.#lastError);
    }
  }

  /** Waits for pending requests, and closes the connection. */
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
    // If the server stops answering, drop the connection: all requests that wait on it fail.
    socketTimeout: ANSWER_MS,
    keepAlive: KEEP_ALIVE_MS,
    retryStrategy: (attempts) => Math.min(50 * 2 ** attempts, LONGEST_PAUSE_MS),
    reconnectOnError: isReadOnly,
    // Never resend pending requests; others wait for one attempt to connect.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // Not needed: a server that is loading its data refuses requests with LOADING.
    enableReadyCheck: false,
    // All servers and proxies support it, and nothing here needs a newer protocol.
    protocol: 2,
    disableClientInfo: true,
  } satisfies RedisOptions;
}
