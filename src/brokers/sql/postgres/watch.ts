/**
 * Hears of what other processes did: listens for notifications on a connection of its own, and has the queues looked at
 * once a second in any case, for while the connection is lost, and for poolers (PgBouncer) that do not pass them on.
 */
import type { Client } from 'pg';

const LOOK_EVERY_MS = 1_000;

export class NotificationWatch {
  readonly #newClient: () => Client;
  readonly #channel: string;
  #client: Client | undefined;
  #changed: ((queue?: string) => void) | undefined;
  /** Something was heard while nobody watched. */
  #hasMissed = false;
  #isClosed = false;

  /** `channel` is an SQL identifier in small letters; the payloads are names of queues. Connects at the first watch. */
  constructor(newClient: () => Client, channel: string) {
    this.#newClient = newClient;
    this.#channel = channel;
  }

  /** For one at a time. The connection outlives the watch, for the next one. */
  watch(changed: (queue?: string) => void): () => void {
    this.#changed = changed;
    if (this.#hasMissed) setImmediate(() => this.#tell());
    this.#listen();
    const interval = setInterval(() => {
      this.#listen();
      this.#tell();
    }, LOOK_EVERY_MS);
    return () => {
      clearInterval(interval);
      this.#changed = undefined;
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client?.end().catch(() => {});
  }

  #tell(queue?: string): void {
    this.#hasMissed = !this.#changed;
    this.#changed?.(queue);
  }

  /** Where that fails, those who look at the tables meet the same error, and can report it. */
  #listen(): void {
    if (this.#client || this.#isClosed) return;
    const client = this.#newClient();
    this.#client = client;
    const forget = () => {
      if (this.#client !== client) return;
      this.#client = undefined;
      client.end().catch(() => {});
      this.#tell();
    };
    client.on('notification', ({ payload }) => this.#tell(payload));
    client.on('error', forget);
    client.on('end', forget);
    client
      .connect()
      .then(() => client.query(`listen ${this.#channel}`))
      // Something may have changed before.
      .then(() => this.#tell(), forget);
  }
}
