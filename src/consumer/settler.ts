/**
 * Makes outcomes so, in the background: deletes and visibility changes go to the broker in batches of ten, while the
 * slots are on their next messages. What fails is tried again, just those entries, for as long as the lease lives.
 *
 * A message that was handled and could not be deleted before its lease ended comes back; if it comes back here, it is
 * deleted without being handled again.
 */
import { Batcher } from '../brokers/batcher.ts';
import type { EntryFailure, EntryResult, Queue } from '../brokers/broker.ts';
import { messageSize } from '../brokers/message-size.ts';
import { handled, type Outcome } from '../worker/outcome.ts';
import { sendCopies } from './dead-letters.ts';
import type { Delivery } from './delivery.ts';
import type { Leases } from './leases.ts';
import type { ConsumerObserver } from './observer.ts';
import { retryPause } from './pauses.ts';

interface Settlement {
  readonly delivery: Delivery;
  readonly outcome: Outcome;
  /** Is told whether the outcome was made so. */
  readonly whenEnded?: (worked: boolean) => void;
  failures: number;
}

export interface SettlerOptions {
  readonly queue: Queue;
  readonly leases: Leases;
  readonly observer: ConsumerObserver;
  /** The longest that an outcome waits for others to share its request, in milliseconds. */
  readonly delayMs: number;
  /** Where messages go that are buried. */
  readonly deadLetterQueue: Queue | undefined;
}

/** SQS: the most bytes of a request. */
const LARGEST_REQUEST_BYTES = 1_048_576;
/** How many ids of handled messages whose delete is not confirmed are remembered. */
const MOST_REMEMBERED = 10_000;

const NO_RESULT: EntryFailure = { ok: false, code: 'NoResult', message: 'no result', retryable: true };

export class Settler {
  readonly #queue: Queue;
  readonly #deadLetterQueue: Queue | undefined;
  readonly #leases: Leases;
  readonly #observer: ConsumerObserver;
  readonly #deletes: Batcher<Settlement>;
  readonly #changes: Batcher<Settlement>;
  readonly #burials: Batcher<Settlement>;
  /** Waiting to be tried again after a failure. */
  readonly #retries = new Map<Settlement, NodeJS.Timeout>();
  /** The ids of the messages to delete, from their handling to the confirmation; oldest first. */
  readonly #handled = new Set<string>();
  /** Deletes that the broker confirmed. */
  confirmed = 0;
  /** Handled messages whose delete was not confirmed before their lease ended: they may run again. */
  mayRepeat = 0;

  constructor({ queue, leases, observer, delayMs, deadLetterQueue }: SettlerOptions) {
    this.#queue = queue;
    this.#deadLetterQueue = deadLetterQueue;
    this.#leases = leases;
    this.#observer = observer;
    const done = (settlement: Settlement) => this.#done(settlement);
    this.#deletes = new Batcher({
      delayMs,
      send: (batch) => this.#send(batch, (owned) => this.#delete(owned), done),
    });
    this.#changes = new Batcher({
      delayMs,
      send: (batch) => this.#send(batch, (owned) => this.#change(owned), done),
    });
    this.#burials = new Batcher({
      delayMs,
      send: (batch) =>
        this.#send(
          batch,
          (owned) => this.#bury(owned),
          (one) => this.#buried(one),
        ),
      bytes: { of: ({ delivery }) => messageSize(delivery.message), max: LARGEST_REQUEST_BYTES },
    });
  }

  /** Deletes a message before it is handled. True once it is deleted; false if it is not, and must not be handled. */
  deleteFirst(delivery: Delivery): Promise<boolean> {
    return new Promise((resolve) => {
      delivery.phase = 'settling';
      this.#add({ delivery, outcome: handled, failures: 0, whenEnded: resolve });
    });
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
    // What is buried is deleted next.
    await this.#burials.flush();
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
    else if (outcome.action === 'bury') this.#burials.add(settlement);
    else if (outcome.delaySeconds !== undefined) this.#changes.add(settlement);
    else this.#done(settlement);
  }

  async #send(
    batch: Settlement[],
    request: (batch: Settlement[]) => Promise<EntryResult[]>,
    worked: (settlement: Settlement) => void,
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
      const results = await request(owned);
      const failures: EntryFailure[] = [];
      for (const [index, settlement] of owned.entries()) {
        const result = results[index] ?? NO_RESULT;
        if (result.ok) {
          worked(settlement);
        } else {
          failures.push(result);
          this.#refused(settlement, result);
        }
      }
      const [first] = failures;
      if (first) {
        this.#observer.settleFailed?.(new Error(`${first.code}: ${first.message}`), failures.length);
      }
    } catch (error) {
      for (const settlement of owned) this.#retry(settlement);
      this.#observer.settleFailed?.(error as Error, owned.length);
    }
  }

  #refused(settlement: Settlement, result: EntryFailure): void {
    if (result.retryable) {
      this.#retry(settlement);
      return;
    }
    const reason = `the broker refused to settle it: ${result.code}: ${result.message}`;
    this.#leases.lose(settlement.delivery, reason);
    this.#lost(settlement);
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

  /** The copy of a buried message is in the dead-letter queue; now the message may go. */
  #buried(settlement: Settlement): void {
    this.#leases.resume(settlement.delivery);
    this.#remember(settlement.delivery.message.id);
    this.#deletes.add(settlement);
  }

  #done({ delivery, outcome, whenEnded }: Settlement): void {
    if (outcome.action !== 'retry') {
      this.confirmed += 1;
      this.#handled.delete(delivery.message.id);
    }
    this.#leases.release(delivery);
    this.#observer.settled?.(delivery, outcome);
    whenEnded?.(true);
  }

  /** The lease ended first: the outcome no longer counts, but that it was handled does. */
  #lost({ delivery, outcome, whenEnded }: Settlement): false {
    delivery.phase = 'done';
    if (outcome.action !== 'retry') this.mayRepeat += 1;
    whenEnded?.(false);
    return false;
  }

  #remember(messageId: string): void {
    this.#handled.add(messageId);
    if (this.#handled.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#handled;
    if (oldest !== undefined) this.#handled.delete(oldest);
  }

  #delete(batch: Settlement[]): Promise<EntryResult[]> {
    return this.#queue.delete(batch.map(({ delivery }) => delivery.message.receiptHandle));
  }

  #change(batch: Settlement[]): Promise<EntryResult[]> {
    return this.#queue.changeVisibility(
      batch.map(({ delivery, outcome }) => ({
        receiptHandle: delivery.message.receiptHandle,
        seconds: (outcome.action === 'retry' && outcome.delaySeconds) || 0,
      })),
    );
  }

  async #bury(batch: Settlement[]): Promise<EntryResult[]> {
    if (!this.#deadLetterQueue) throw new Error('No dead-letter queue is configured.');
    return sendCopies(
      this.#deadLetterQueue,
      batch.map(({ delivery }) => delivery.message),
    );
  }
}
