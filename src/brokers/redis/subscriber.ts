/** Hears of messages that other processes make visible: subscribes to the channels of queues, on one connection for all. */
import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { keyOf } from './script.ts';

export class Subscriber {
  readonly #client: RedisClient;
  readonly #heard: (queue?: string) => void;
  /** The queues by their channels. */
  readonly #queues = new Map<string, string>();
  #isUsed = false;

  /** `heard` is called with a queue that may have messages, and without one when something may have been missed. */
  constructor(client: RedisClient, heard: (queue?: string) => void) {
    this.#client = client;
    this.#heard = heard;
  }

  /** Whether it hears of this queue now. */
  isSubscribed(queue: string): boolean {
    return this.#queues.has(channelOf(queue));
  }

  /** Resolves when it hears of this queue. Throws a BrokerError. */
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

/** Redis keeps names of keys and of channels apart. */
function channelOf(queue: string): string {
  return keyOf(queue, 'queue');
}
