/** Detects messages that other processes make visible: subscribes to the channels of queues, over one connection. */
import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { keyOf } from './script.ts';

export class Subscriber {
  readonly #client: RedisClient;
  readonly #heard: (queue?: string) => void;
  /** Queue names by channel. */
  readonly #queues = new Map<string, string>();
  #isUsed = false;

  /** Calls `heard` with a queue that may have messages, or without a queue when notifications may have been missed. */
  constructor(client: RedisClient, heard: (queue?: string) => void) {
    this.#client = client;
    this.#heard = heard;
  }

  /** Whether there is an active subscription for this queue. */
  isSubscribed(queue: string): boolean {
    return this.#queues.has(channelOf(queue));
  }

  /** Resolves when the subscription is active. Throws a BrokerError. */
  async subscribe(queue: string): Promise<void> {
    const channel = channelOf(queue);
    await this.#client.request(async (redis) => {
      this.#use(redis);
      await redis.subscribe(channel);
    });
    this.#queues.set(channel, queue);
  }

  async close(): Promise<void> {
    if (this.#isUsed) await this.#client.close();
  }

  #use(redis: Redis): void {
    if (this.#isUsed) return;
    this.#isUsed = true;
    redis.on('message', (channel: string) => this.#heard(this.#queues.get(channel)));
    redis.on('close', () => {
      this.#queues.clear();
      this.#heard();
    });
  }
}

/** The channel has the same name as the queue's key: Redis keeps keys and channels separate. */
function channelOf(queue: string): string {
  return keyOf(queue, 'queue');
}
