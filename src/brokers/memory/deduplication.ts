/** The deduplication ids of a FIFO queue, each remembered for five minutes with what its first message got. */
import type { SendResult } from '../broker.ts';
import { DEDUPLICATION_MS } from '../rules/sqs-rules.ts';

export class Deduplication {
  /** In the order in which they are forgotten. */
  readonly #remembered = new Map<string, { readonly result: SendResult; readonly until: number }>();
  #cleanAt = 0;

  /** The result of `send`, or that of the first message with this id. `now` is in milliseconds. */
  once(id: string, now: number, send: () => SendResult): SendResult {
    this.#forget(now);
    const known = this.#remembered.get(id);
    if (known && known.until > now) return known.result;
    const result = send();
    this.#remembered.delete(id);
    this.#remembered.set(id, { result, until: now + DEDUPLICATION_MS });
    return result;
  }

  #forget(now: number): void {
    if (now < this.#cleanAt) return;
    this.#cleanAt = now + DEDUPLICATION_MS;
    for (const [id, { until }] of this.#remembered) {
      if (until > now) break;
      this.#remembered.delete(id);
    }
  }
}
