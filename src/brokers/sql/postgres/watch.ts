/**
 * Detects changes by other processes: listens for notifications on a separate connection, and also reports a possible change
 * once a second, in case the connection is lost or a pooler (PgBouncer) does not forward notifications.
 */
import type { Client } from 'pg';

const LOOK_EVERY_MS = 1_000;

export class NotificationWatch {
  readonly #newClient: () => Client;
  readonly #channel: string;
  #client: Client | undefined;
  #changed: ((queue?: string) => void) | undefined;
  /** True if a notification arrived while no watch was active. */
  #hasMissed = false;
  #isClosed = false;

  /** `channel` is a lowercase SQL identifier; the payloads are queue names. Connects when the first watch starts. */
  constructor(newClient: () => Client, channel: string) {
    this.#newClient = newClient;
    this.#channel = channel;
  }

  /** Starts a watch; only one at a time. The connection stays open for the next watch. */
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

  /** Ignores failures: queries on the tables fail with the same error, and report it. */
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
      // Something may have changed before the connection listened.
      .then(() => this.#tell(), forget);
  }
}
