/**
 * The ids of messages that were handled here and may arrive again, because their delete was lost or the process
 * received them twice. If one arrives again, it is deleted, not handled again.
 */

/** Remembers at least this many recent ids, and at most twice as many. */
const REMEMBERED = 10_000;

export class HandledIds {
  #recent = new Set<string>();
  #older = new Set<string>();

  has(messageId: string): boolean {
    return this.#recent.has(messageId) || this.#older.has(messageId);
  }

  add(messageId: string): void {
    this.#recent.add(messageId);
    if (this.#recent.size < REMEMBERED) return;
    this.#older = this.#recent;
    this.#recent = new Set();
  }

  delete(messageId: string): void {
    this.#recent.delete(messageId);
    this.#older.delete(messageId);
  }
}
