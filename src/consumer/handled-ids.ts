/**
 * The ids of messages that were handled and whose delete is not confirmed. One that comes back, because its delete went
 * missing, is deleted without being handled again.
 */

/** The oldest are forgotten beyond this. */
const MOST_REMEMBERED = 10_000;

export class HandledIds {
  /** Oldest first. */
  readonly #ids = new Set<string>();

  has(messageId: string): boolean {
    return this.#ids.has(messageId);
  }

  add(messageId: string): void {
    this.#ids.add(messageId);
    if (this.#ids.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#ids;
    if (oldest !== undefined) this.#ids.delete(oldest);
  }

  delete(messageId: string): void {
    this.#ids.delete(messageId);
  }
}
