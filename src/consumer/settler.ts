/**
 * Makes outcomes so, in the background: deletes and visibility changes go to the broker in batches of ten, while the
 * slots are on their next messages. What fails is tried again, just those entries, for as long as the lease lives.
 *
 * A message that was handled and could not be deleted before its lease ended comes back; if it comes back here, it is
 * deleted without being handled again.
 */
import { Batcher } from '../brokers/batcher.ts';
import type { EntryResult, Queue } from '../brokers/broker.ts';
import type { Outcome } from '../worker/outcome.ts';
import type { Delivery } from './delivery.ts';
import type { Leases } from './leases.ts';
import type { ConsumerObserver } from './observer.ts';
import { retryPause } from './retry-pause.ts';

interface Settlement {
  readonly delivery: Delivery;
  readonly outcome: Outcome;
  failures: number;
}

/** How many ids of handled messages whose delete is not confirmed are remembered. */
const MOST_REMEMBERED = 10_000;

export class Settler {
  readonly #queue: Queue;
  readonly #leases: Leases;
  readonly #observer: ConsumerObserver;
  readonly #deletes: Batcher<Settlement>;
  readonly #changes: Batcher<Settlement>;
  /** Waiting to be tried again after a failure. */
  readonly #retries = new Map<Settlement, NodeJS.Timeout>();
  /** The ids of the messages to delete, from their handling to the confirmation; oldest first. */
  readonly #handled = new Set<string>();
  /** Deletes that the broker confirmed. */
  confirmed = 0;
  /** Handled messages whose delete was not confirmed before their lease ended: they may run again. */
  mayRepeat = 0;

  /** `delayMs` is the longest that an outcome waits for others to share its request, in milliseconds. */
  constructor(queue: Queue, leases: Leases, observer: ConsumerObserver, delayMs: number) {
    this.#queue = queue;
    this.#leases = leases;
    this.#observer = observer;
    this.#deletes = new Batcher({ delayMs, send: (batch) => this.#send(batch, deleteAll) });
    this.#changes = new Batcher({ delayMs, send: (batch) => this.#send(batch, changeAll) });
  }

  /** Takes the outcome of a message, once. */
  settle(delivery: Delivery, outcome: Outcome): void {
    if (delivery.phase === 'settling' || delivery.phase === 'done') return;
    delivery.phase = 'settling';
    // A worker that was told of the loss of its lease may have returned early; one that was not is done.
    if (outcome.action === 'delete' && !delivery.leaseLost) this.#remember(delivery.message.id);
    this.#add({ delivery, outcome, failures: 0 });
  }

  /** True if the message was handled here before and only its delete went missing. */
  wasHandled(messageId: string): boolean {
    return this.#handled.has(messageId);
  }

  /** Sends everything now, retries included; resolves when all of it has been answered and nothing waits. */
  async flush(): Promise<void> {
    for (const [settlement, timer] of this.#retries) {
      clearTimeout(timer);
      this.#retries.delete(settlement);
      this.#add(settlement);
    }
    await Promise.all([this.#deletes.flush(), this.#changes.flush()]);
  }

  /** How many outcomes wait for another try. */
  get retrying(): number {
    return this.#retries.size;
  }

  /** Drops what waits for another try: the process ends, and these messages come back by themselves. */
  giveUp(): void {
    for (const [settlement, timer] of this.#retries) {
      clearTimeout(timer);
      this.#leases.lose(settlement.delivery, 'the broker could not be told what became of it in time');
      this.#lost(settlement);
    }
    this.#retries.clear();
  }

  #add(settlement: Settlement): void {
    const { delivery, outcome } = settlement;
    if (!this.#leases.owns(delivery)) this.#lost(settlement);
    else if (outcome.action === 'delete') this.#deletes.add(settlement);
    else if (outcome.delaySeconds !== undefined) this.#changes.add(settlement);
    else this.#done(settlement);
  }

  async #send(
    batch: Settlement[],
    request: (queue: Queue, batch: Settlement[]) => Promise<EntryResult[]>,
  ): Promise<void> {
    const owned = batch.filter(
      (settlement) => this.#leases.owns(settlement.delivery) || this.#lost(settlement),
    );
    if (owned.length === 0) return;
    for (const { delivery } of owned) this.#leases.pause(delivery);
    // An extension that arrives after a change of visibility would undo it.
    const extensions = owned.flatMap(({ delivery }) => delivery.extending ?? []);
    if (extensions.length > 0) await Promise.all(extensions);
    try {
      const results = await request(this.#queue, owned);
      const refused = owned.filter((settlement, index) => !this.#answered(settlement, results[index]));
      if (refused.length > 0) {
        const first = results.find((result) => !result.ok);
        this.#observer.settleFailed?.(
          new Error(first ? `${first.code}: ${first.message}` : 'no result'),
          refused.length,
        );
      }
    } catch (error) {
      for (const settlement of owned) this.#retry(settlement);
      this.#observer.settleFailed?.(error as Error, owned.length);
    }
  }

  #answered(settlement: Settlement, result: EntryResult | undefined): boolean {
    if (result?.ok) {
      this.#done(settlement);
      return true;
    }
    if (!result || result.retryable) {
      this.#retry(settlement);
    } else {
      this.#leases.lose(
        settlement.delivery,
        `the broker refused to settle it: ${result.code}: ${result.message}`,
      );
      this.#lost(settlement);
    }
    return false;
  }

  #retry(settlement: Settlement): void {
    settlement.failures += 1;
    this.#leases.resume(settlement.delivery);
    const timer = setTimeout(() => {
      this.#retries.delete(settlement);
      this.#add(settlement);
    }, retryPause(settlement.failures));
    this.#retries.set(settlement, timer);
  }

  #done({ delivery, outcome }: Settlement): void {
    if (outcome.action === 'delete') {
      this.confirmed += 1;
      this.#handled.delete(delivery.message.id);
    }
    this.#leases.release(delivery);
    this.#observer.settled?.(delivery, outcome);
  }

  /** The lease ended first: the outcome no longer counts, but that it was handled does. */
  #lost({ delivery, outcome }: Settlement): false {
    delivery.phase = 'done';
    if (outcome.action === 'delete') this.mayRepeat += 1;
    return false;
  }

  #remember(messageId: string): void {
    this.#handled.add(messageId);
    if (this.#handled.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#handled;
    if (oldest !== undefined) this.#handled.delete(oldest);
  }
}

function deleteAll(queue: Queue, batch: Settlement[]): Promise<EntryResult[]> {
  return queue.delete(batch.map(({ delivery }) => delivery.message.receiptHandle));
}

function changeAll(queue: Queue, batch: Settlement[]): Promise<EntryResult[]> {
  return queue.changeVisibility(
    batch.map(({ delivery, outcome }) => ({
      receiptHandle: delivery.message.receiptHandle,
      seconds: (outcome.action === 'retry' && outcome.delaySeconds) || 0,
    })),
  );
}
