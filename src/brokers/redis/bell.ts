/** Hears of what others do with queues: subscribes to their channels, on a connection of its own for all. */
import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { keyOf } from './scripts/script.ts';

export class Bell {
  readonly #client: RedisClient;
  readonly #announce: (queue?: string) => void;
  /** The queues that are listened to, by their channels. */
  readonly #queues = new Map<string, string>();
  #isPrepared = false;

  /** `announce` is called with a queue when there is news, and without one when some may have been missed. */
  constructor(client: RedisClient, announce: (queue?: string) => void) {
    this.#client = client;
    this.#announce = announce;
  }

  /** Whether no news of the queue gets lost now. */
  isListening(queue: string): boolean {
    return this.#queues.has(channelOf(queue));
  }

  /** Resolves when no news of the queue gets lost any more. Throws a BrokerError. */
  async listen(queue: string): Promise<void> {
    const channel = channelOf(queue);
    await this.#client.request(async (redis) => {
      this.#prepare(redis);
      await redis.subscribe(channel);
    });
    this.#queues.set(channel, queue);
  }

  async close(): Promise<void> {
    if (this.#isPrepared) await this.#client.close();
  }

  #prepare(redis: Redis): void {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    redis.on('message', (channel: string) => this.#announce(this.#queues.get(channel)));
    redis.on('close', () => {
      this.#queues.clear();
      this.#announce();
    });
  }
}

/** Redis keeps names of keys and of channels apart. */
function channelOf(queue: string): string {
  return keyOf(queue, 'queue');
}
