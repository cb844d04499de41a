/**
 * Sends outcomes to the broker in the background: deletes and visibility changes, in batches, while the slots
 * run the next messages. Only failed entries are retried, while their leases last. A handled message is deleted even if
 * its lease expired by our own clock (the process was blocked), but with a single attempt.
 *
 * Burying a message takes two steps, so that it is always in at least one queue: a copy goes to the dead-letter queue,
 * then the message is deleted.
 */
import { Batcher } from '../brokers/batcher.ts';
import type { EntryFailure, EntryResult, Queue } from '../brokers/broker.ts';
import { NO_RESULT } from '../brokers/errors.ts';
import { messageSize } from '../brokers/rules/messages.ts';
import type { ContainerSettings } from '../config/config.ts';
import type { Machine, Timer } from '../host/host.ts';
import { handled, type Outcome, returned } from '../worker/outcome.ts';
import { HandledIds } from './handled-ids.ts';
import type { HeldMessage } from './held-message.ts';
import type { Leases } from './leases.ts';
import type { ConsumerObserver } from './observer.ts';
import { retryPause } from './pauses.ts';
import { changeVisibility, deleteMessages, isDelete, type Settlement, sendCopies } from './settlement.ts';
import type { Timings } from './timings.ts';

export interface SettlerOptions {
  readonly queue: Queue;
  readonly leases: Leases;
  readonly observer: ConsumerObserver;
  readonly settings: Pick<ContainerSettings, 'settleDelay'>;
  /** Receives the copies of buried messages. */
  readonly deadLetterQueue: Queue | undefined;
  /** Records how long requests take. */
  readonly timings: Timings;
  readonly machine: Machine;
  /** Once this aborts, a failed delete before handling is not retried: the message returns to the queue. */
  readonly draining: AbortSignal;
}

export class Settler {
  readonly #options: SettlerOptions;
  readonly #deletes: Batcher<Settlement>;
  readonly #firstDeletes: Batcher<Settlement>;
  readonly #changes: Batcher<Settlement>;
  readonly #copies: Batcher<Settlement>;
  /** Failed settlements waiting for a retry. */
  readonly #retries = new Map<Settlement, Timer>();
  /** All settlements not completed yet. */
  readonly #open = new Set<Settlement>();
  readonly #handledIds = new HandledIds();
  #confirmed = 0;
  #mayRunAgain = 0;

  constructor(options: SettlerOptions) {
    const { queue, deadLetterQueue, settings, machine, draining } = options;
    const { maxBatch: maxEntries } = queue.limits;
    const delayMs = settings.settleDelay;
    this.#options = options;
    const done = (settlement: Settlement) => this.#done(settlement);
    const sendDeletes = (batch: Settlement[]) =>
      this.#send(batch, (owned) => deleteMessages(queue, owned), done);
    this.#deletes = new Batcher({ delayMs, maxEntries, machine, send: sendDeletes });
    // Sent without delay, because a worker is waiting.
    this.#firstDeletes = new Batcher({ delayMs: 0, maxEntries, machine, send: sendDeletes });
    this.#changes = new Batcher({
      ...{ delayMs, maxEntries, machine },
      send: (batch) => this.#send(batch, (owned) => changeVisibility(queue, owned), done),
    });
    const { limits: copyLimits } = deadLetterQueue ?? queue;
    this.#copies = new Batcher({
      ...{ delayMs, maxEntries: copyLimits.maxBatch, machine },
      send: (batch) => this.#sendCopies(batch),
      bytes: { of: ({ held }) => messageSize(held.message), max: copyLimits.maxRequestBytes },
    });
    draining.addEventListener('abort', () => {
      for (const settlement of this.#takeRetries()) {
        if (settlement.whenDeleted) this.#returnToQueue(settlement);
        else this.#take(settlement);
      }
    });
  }

  /** Deletes a message before it is handled. Resolves to false if it is not deleted and so must not be handled. */
  deleteFirst(held: HeldMessage): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    held.deleteFirst();
    this.#begin(held, handled, resolve);
    return promise;
  }

  /** Takes the outcome of a message. Only the first one counts. */
  settle(held: HeldMessage, outcome: Outcome): void {
    if (held.state === 'settling' || held.state === 'done') return;
    if (outcome.action === 'delete' && held.lease !== 'lost' && !held.deleted) {
      this.#handledIds.add(held.message.id);
    }
    held.settle();
    this.#begin(held, held.deleted ? handled : outcome);
  }

  /** True if the message was already handled here and only its delete was lost. */
  wasHandled(messageId: string): boolean {
    return this.#handledIds.has(messageId);
  }

  /** Sends everything now, including retries; resolves when every request has completed. */
  async flush(): Promise<void> {
    for (const settlement of this.#takeRetries()) this.#take(settlement);
    // Copied messages are deleted next.
    await this.#copies.flush();
    await Promise.all([this.#deletes, this.#firstDeletes, this.#changes].map((batcher) => batcher.flush()));
  }

  /** How many outcomes are not settled yet. */
  get unsettled(): number {
    return this.#open.size;
  }

  /** How many messages the broker has confirmed as deleted. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** How many handled messages may run again: their deletes were not confirmed before their leases ended. */
  get mayRunAgain(): number {
    return this.#mayRunAgain;
  }

  /** Drops what is not settled: the process is exiting, and these messages become visible again by themselves. */
  giveUp(): void {
    this.#takeRetries();
    for (const batcher of [this.#deletes, this.#firstDeletes, this.#changes, this.#copies]) batcher.drop();
    for (const settlement of this.#open) {
      this.#options.leases.lose(settlement.held, 'its outcome could not be sent to the broker in time');
      this.#lost(settlement);
    }
  }

  #begin(held: HeldMessage, outcome: Outcome, whenDeleted?: (worked: boolean) => void): void {
    const settlement: Settlement = { held, outcome, whenDeleted, copied: false, late: false, failures: 0 };
    this.#open.add(settlement);
    this.#take(settlement);
  }

  /** Starts the next step of a settlement. */
  #take(settlement: Settlement): void {
    const { held, outcome, whenDeleted } = settlement;
    if (!this.#mayContinue(settlement)) this.#lost(settlement);
    else if (held.deleted) this.#done(settlement);
    else if (whenDeleted) this.#firstDeletes.add(settlement);
    else if (isDelete(settlement)) this.#deletes.add(settlement);
    else if (outcome.action === 'bury') this.#copies.add(settlement);
    else if (outcome.action === 'retry' && outcome.delaySeconds !== undefined) this.#changes.add(settlement);
    else this.#done(settlement);
  }

  /** A late delete is safe: the message was handled, and the broker refuses it if another process has the message. */
  #mayContinue(settlement: Settlement): boolean {
    const { held } = settlement;
    return (isDelete(settlement) && held.lease !== 'lost') || this.#options.leases.owns(held);
  }

  /**
   * Sends a request that ends the leases of its messages. Extensions must not follow it or be in progress: messages that
   * are being extended go into a request of their own, so that the others do not wait.
   */
  async #send(
    batch: Settlement[],
    request: (batch: Settlement[]) => Promise<EntryResult[]>,
    worked: (settlement: Settlement) => void,
  ): Promise<void> {
    for (const { held } of batch) held.settlementBegins();
    const groups = Map.groupBy(batch, ({ held }) => held.extension);
    const requests = [...groups].map(async ([extension, group]) => {
      if (extension) await extension;
      await this.#request(group, request, worked);
    });
    await Promise.all(requests);
  }

  /** Sends copies. This does not affect the messages themselves, whose leases continue. */
  #sendCopies(batch: Settlement[]): Promise<void> {
    return this.#request(
      batch,
      (owned) => sendCopies(this.#options.deadLetterQueue, owned),
      (settlement) => {
        settlement.copied = true;
        this.#handledIds.add(settlement.held.message.id);
        this.#take(settlement);
      },
    );
  }

  async #request(
    batch: Settlement[],
    request: (batch: Settlement[]) => Promise<EntryResult[]>,
    worked: (settlement: Settlement) => void,
  ): Promise<void> {
    const { leases, machine, observer, timings } = this.#options;
    const owned = batch.filter((settlement) => this.#mayContinue(settlement) || this.#lost(settlement));
    if (owned.length === 0) return;
    for (const settlement of owned) settlement.late = leases.isOver(settlement.held);
    let results: EntryResult[];
    const sentAt = machine.now();
    try {
      results = await request(owned);
      timings.answered(machine.now() - sentAt);
    } catch (error) {
      for (const settlement of owned) this.#tryAgain(settlement);
      observer.settleFailed?.(error as Error, owned.length);
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
    if (first) observer.settleFailed?.(new Error(`${first.code}: ${first.message}`), failures.length);
  }

  #tryAgain(settlement: Settlement): void {
    // We gave up before its request failed.
    if (!this.#open.has(settlement)) return;
    const { leases, machine, draining } = this.#options;
    if (settlement.late) {
      leases.owns(settlement.held);
      this.#lost(settlement);
      return;
    }
    settlement.failures += 1;
    leases.resume(settlement.held);
    if (settlement.whenDeleted && draining.aborted) {
      this.#returnToQueue(settlement);
      return;
    }
    const timer = machine.setTimeout(
      () => {
        this.#retries.delete(settlement);
        this.#take(settlement);
      },
      retryPause(settlement.failures, machine.random),
    );
    this.#retries.set(settlement, timer);
  }

  /** Removes and returns the settlements waiting for a retry. */
  #takeRetries(): Settlement[] {
    const settlements = [...this.#retries.keys()];
    for (const timer of this.#retries.values()) this.#options.machine.clearTimeout(timer);
    this.#retries.clear();
    return settlements;
  }

  #refused(settlement: Settlement, { code, message }: EntryFailure): void {
    this.#options.leases.lose(settlement.held, `the broker refused to settle it: ${code}: ${message}`);
    this.#lost(settlement);
  }

  /** Returns a message to the queue: it could not be deleted before handling, so it is not handled. */
  #returnToQueue(settlement: Settlement): void {
    this.#open.delete(settlement);
    settlement.whenDeleted?.(false);
    settlement.held.settle();
    this.#begin(settlement.held, returned);
  }

  #done(settlement: Settlement): void {
    // The response came after we gave up.
    if (!this.#open.delete(settlement)) return;
    const { held, outcome, whenDeleted } = settlement;
    if (whenDeleted) {
      this.#deletedFirst(held, whenDeleted);
      return;
    }
    if (outcome.action !== 'retry') {
      this.#confirmed += 1;
      // After a late delete it may still arrive: another receive may already have it.
      if (!held.deleted && !settlement.late) this.#handledIds.delete(held.message.id);
    }
    this.#options.leases.release(held);
    this.#options.observer.settled?.(held, outcome);
  }

  /**
   * The message was deleted and may now be handled. A process that was blocked may hold it twice, though, with both
   * deletes confirmed: only the first is handled.
   */
  #deletedFirst(held: HeldMessage, whenDeleted: (worked: boolean) => void): void {
    const { id } = held.message;
    if (this.#handledIds.has(id)) {
      this.#options.leases.release(held);
      whenDeleted(false);
      return;
    }
    this.#handledIds.add(id);
    held.confirmDeleted();
    whenDeleted(true);
  }

  /** The lease ended first: the outcome no longer counts. A handled message may run again. */
  #lost(settlement: Settlement): false {
    if (!this.#open.delete(settlement)) return false;
    const { held, outcome, whenDeleted } = settlement;
    held.finish();
    if (whenDeleted) whenDeleted(false);
    else if (outcome.action !== 'retry') this.#mayRunAgain += 1;
    return false;
  }
}
