/**
 * Makes outcomes so, in the background: deletes and visibility changes go to the broker in batches of ten, while the
 * slots are on their next messages. What fails is tried again, just those entries, for as long as the lease lives. What
 * was handled is deleted even when the lease is over by our own clock (the process was blocked), with one request.
 *
 * A message to bury takes two steps, so that it is in one of the queues at any time: a copy goes to the dead-letter
 * queue, then the message is deleted.
 */
import { Batcher } from '../brokers/batcher.ts';
import type { EntryFailure, EntryResult, Queue } from '../brokers/broker.ts';
import { NO_RESULT } from '../brokers/errors.ts';
import { MAX_REQUEST_BYTES } from '../brokers/rules/limits.ts';
import { messageSize } from '../brokers/rules/message-size.ts';
import { handled, type Outcome, released } from '../worker/outcome.ts';
import type { Delivery } from './delivery.ts';
import { HandledIds } from './handled-ids.ts';
import type { Leases } from './leases.ts';
import type { ConsumerObserver } from './observer.ts';
import { Retries } from './retries.ts';
import { changeVisibility, deleteMessages, isDelete, type Settlement, sendCopies } from './settlement.ts';

export interface SettlerOptions {
  readonly queue: Queue;
  readonly leases: Leases;
  readonly observer: ConsumerObserver;
  /** The longest that an outcome waits for others to share its request, in milliseconds. */
  readonly delayMs: number;
  /** Where messages go that are buried. */
  readonly deadLetterQueue: Queue | undefined;
  /** Called when a request was answered, with the milliseconds that it took. */
  readonly onAnswer?: (milliseconds: number) => void;
}

export class Settler {
  readonly #deadLetterQueue: Queue | undefined;
  readonly #leases: Leases;
  readonly #observer: ConsumerObserver;
  readonly #onAnswer: (milliseconds: number) => void;
  readonly #deletes: Batcher<Settlement>;
  readonly #firstDeletes: Batcher<Settlement>;
  readonly #changes: Batcher<Settlement>;
  readonly #copies: Batcher<Settlement>;
  readonly #retries = new Retries<Settlement>((settlement) => this.#take(settlement));
  /** Everything that is not settled yet. */
  readonly #open = new Set<Settlement>();
  readonly #handledIds = new HandledIds();
  #draining = false;
  /** Deletes that the broker confirmed. */
  confirmed = 0;
  /** Handled messages whose delete was not confirmed before their lease ended: they may run again. */
  mayRepeat = 0;

  constructor({ queue, leases, observer, delayMs, deadLetterQueue, onAnswer = () => {} }: SettlerOptions) {
    this.#deadLetterQueue = deadLetterQueue;
    this.#leases = leases;
    this.#observer = observer;
    this.#onAnswer = onAnswer;
    const done = (settlement: Settlement) => this.#done(settlement);
    const sendDeletes = (batch: Settlement[]) =>
      this.#send(batch, (owned) => deleteMessages(queue, owned), done);
    this.#deletes = new Batcher({ delayMs, send: sendDeletes });
    // A worker waits for these.
    this.#firstDeletes = new Batcher({ delayMs: 0, send: sendDeletes });
    this.#changes = new Batcher({
      delayMs,
      send: (batch) => this.#send(batch, (owned) => changeVisibility(queue, owned), done),
    });
    this.#copies = new Batcher({
      delayMs,
      send: (batch) => this.#sendCopies(batch),
      bytes: { of: ({ delivery }) => messageSize(delivery.message), max: MAX_REQUEST_BYTES },
    });
  }

  /** Deletes a message before it is handled. True once it is deleted; false if it is not, and must not be handled. */
  deleteFirst(delivery: Delivery): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#begin(delivery, handled, resolve);
    return promise;
  }

  /** Takes the outcome of a message, once. */
  settle(delivery: Delivery, outcome: Outcome): void {
    if (delivery.phase === 'settling' || delivery.phase === 'done') return;
    if (outcome.action === 'delete' && delivery.lease !== 'lost' && !delivery.deleted) {
      this.#handledIds.add(delivery.message.id);
    }
    this.#begin(delivery, delivery.deleted ? handled : outcome);
  }

  /** True if the message was handled here before and only its delete went missing. */
  wasHandled(messageId: string): boolean {
    return this.#handledIds.has(messageId);
  }

  /** From now on, what is to be deleted before it is handled goes back if that does not work at once. */
  startDraining(): void {
    this.#draining = true;
    for (const settlement of this.#retries.takeAll()) {
      if (settlement.whenDeleted) this.#giveBack(settlement);
      else this.#take(settlement);
    }
  }

  /** Sends everything now, retries included; resolves when all of it has been answered. */
  async flush(): Promise<void> {
    for (const settlement of this.#retries.takeAll()) this.#take(settlement);
    // What is copied is deleted next.
    await this.#copies.flush();
    await Promise.all([this.#deletes, this.#firstDeletes, this.#changes].map((batcher) => batcher.flush()));
  }

  /** How many outcomes are not settled yet. */
  get unsettled(): number {
    return this.#open.size;
  }

  /** Drops what is not settled: the process ends, and these messages come back by themselves. */
  giveUp(): void {
    this.#retries.takeAll();
    for (const settlement of this.#open) {
      this.#leases.lose(settlement.delivery, 'the broker could not be told what became of it in time');
      this.#lost(settlement);
    }
  }

  #begin(delivery: Delivery, outcome: Outcome, whenDeleted?: (worked: boolean) => void): void {
    delivery.phase = 'settling';
    const settlement = {
      delivery,
      outcome,
      copied: false,
      late: false,
      failures: 0,
      ...(whenDeleted && { whenDeleted }),
    };
    this.#open.add(settlement);
    this.#take(settlement);
  }

  /** The next step of a settlement. */
  #take(settlement: Settlement): void {
    const { delivery, outcome, whenDeleted } = settlement;
    if (!this.#mayGoOn(settlement)) this.#lost(settlement);
    else if (delivery.deleted) this.#done(settlement);
    else if (whenDeleted) this.#firstDeletes.add(settlement);
    else if (isDelete(settlement)) this.#deletes.add(settlement);
    else if (outcome.action === 'bury') this.#copies.add(settlement);
    else if (outcome.action === 'retry' && outcome.delaySeconds !== undefined) this.#changes.add(settlement);
    else this.#done(settlement);
  }

  /** A late delete harms nobody: the message was handled, and a broker refuses it if another process has the message. */
  #mayGoOn(settlement: Settlement): boolean {
    const { delivery } = settlement;
    return (isDelete(settlement) && delivery.lease !== 'lost') || this.#leases.owns(delivery);
  }

  /** Sends a request that ends the lease of what it settles: no extension may follow it, or be on its way. */
  async #send(
    batch: Settlement[],
    request: (batch: Settlement[]) => Promise<EntryResult[]>,
    worked: (settlement: Settlement) => void,
  ): Promise<void> {
    for (const { delivery } of batch) this.#leases.pause(delivery);
    const extensions = batch.flatMap(({ delivery }) => delivery.extending ?? []);
    if (extensions.length > 0) await Promise.all(extensions);
    await this.#request(batch, request, worked);
  }

  /** A copy does nothing to the message itself, whose lease goes on. */
  #sendCopies(batch: Settlement[]): Promise<void> {
    return this.#request(
      batch,
      (owned) => sendCopies(this.#deadLetterQueue, owned),
      (settlement) => {
        settlement.copied = true;
        this.#handledIds.add(settlement.delivery.message.id);
        this.#take(settlement);
      },
    );
  }

  async #request(
    batch: Settlement[],
    request: (batch: Settlement[]) => Promise<EntryResult[]>,
    worked: (settlement: Settlement) => void,
  ): Promise<void> {
    const owned = batch.filter((settlement) => this.#mayGoOn(settlement) || this.#lost(settlement));
    if (owned.length === 0) return;
    for (const settlement of owned) settlement.late = this.#leases.isOver(settlement.delivery);
    let results: EntryResult[];
    const sentAt = performance.now();
    try {
      results = await request(owned);
      this.#onAnswer(performance.now() - sentAt);
    } catch (error) {
      for (const settlement of owned) this.#tryAgain(settlement);
      this.#observer.settleFailed?.(error as Error, owned.length);
      return;
    }
    const failures: EntryFailure[] = [];
    for (const [index, settlement] of owned.entries()) {
      const result = results[index] ?? NO_RESULT;
      if (result.ok) {
        worked(settlement);
      } else {
        failures.push(result);
        if (result.retryable) this.#tryAgain(settlement);
        else this.#refused(settlement, result);
      }
    }
    const [first] = failures;
    if (first) this.#observer.settleFailed?.(new Error(`${first.code}: ${first.message}`), failures.length);
  }

  #tryAgain(settlement: Settlement): void {
    if (settlement.late) {
      this.#leases.owns(settlement.delivery);
      this.#lost(settlement);
      return;
    }
    settlement.failures += 1;
    this.#leases.resume(settlement.delivery);
    if (settlement.whenDeleted && this.#draining) this.#giveBack(settlement);
    else this.#retries.add(settlement, settlement.failures);
  }

  #refused(settlement: Settlement, { code, message }: EntryFailure): void {
    this.#leases.lose(settlement.delivery, `the broker refused to settle it: ${code}: ${message}`);
    this.#lost(settlement);
  }

  /** A message that was to be deleted before it is handled is not handled. */
  #giveBack(settlement: Settlement): void {
    this.#open.delete(settlement);
    settlement.whenDeleted?.(false);
    this.#begin(settlement.delivery, released);
  }

  #done(settlement: Settlement): void {
    // Answered after it was given up.
    if (!this.#open.delete(settlement)) return;
    const { delivery, outcome, whenDeleted } = settlement;
    if (whenDeleted) {
      this.#deletedFirst(delivery, whenDeleted);
      return;
    }
    if (outcome.action !== 'retry') {
      this.confirmed += 1;
      // After a late delete it may still come: another receive may have had it already.
      if (!delivery.deleted && !settlement.late) this.#handledIds.delete(delivery.message.id);
    }
    this.#leases.release(delivery);
    this.#observer.settled?.(delivery, outcome);
  }

  /**
   * A message is handled once it is deleted; but a process that was blocked may hold it twice, and a broker says of
   * both deletes that they worked.
   */
  #deletedFirst(delivery: Delivery, whenDeleted: (worked: boolean) => void): void {
    const { id } = delivery.message;
    if (this.#handledIds.has(id)) {
      this.#leases.release(delivery);
      whenDeleted(false);
      return;
    }
    this.#handledIds.add(id);
    this.#leases.keepForGood(delivery);
    whenDeleted(true);
  }

  /** The lease ended first: the outcome no longer counts, but that it was handled does. */
  #lost(settlement: Settlement): false {
    if (!this.#open.delete(settlement)) return false;
    const { delivery, outcome, whenDeleted } = settlement;
    delivery.phase = 'done';
    if (whenDeleted) whenDeleted(false);
    else if (outcome.action !== 'retry') this.mayRepeat += 1;
    return false;
  }
}
