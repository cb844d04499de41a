/**
 * One queue of a consumer, with its own receiver, waiting messages, leases and settler. The slots that run the worker
 * are shared with the other queues.
 */
import type { Message, Queue } from '../brokers/broker.ts';
import { DEFAULT_VISIBILITY_TIMEOUT } from '../brokers/rules/limits.ts';
import type { ContainerSettings } from '../config/config.ts';
import type { Machine } from '../host/host.ts';
import { handled, type Outcome, returned } from '../worker/outcome.ts';
import { HeldMessage } from './held-message.ts';
import { Leases } from './leases.ts';
import type { ConsumerObserver } from './observer.ts';
import { Receiver } from './receiver.ts';
import type { CrashRecord } from './run-worker.ts';
import type { ScheduledQueue } from './scheduler.ts';
import { Settler } from './settler.ts';
import { Timings } from './timings.ts';
import { WaitingMessages } from './waiting-messages.ts';

export interface ConsumedQueueOptions {
  readonly queue: Queue;
  /** Its share of the slots while other queues also have messages. */
  readonly weight: number;
  readonly settings: Pick<
    ContainerSettings,
    'poll' | 'idlePause' | 'visibilityTimeout' | 'settleDelay' | 'deleteOnStart'
  >;
  /** Receives the copies of buried messages. */
  readonly deadLetterQueue: Queue | undefined;
  readonly crashRecord: CrashRecord | undefined;
  readonly observer: ConsumerObserver;
  readonly machine: Machine;
  readonly draining: AbortSignal;
  /** How many messages to ask for now. */
  readonly wanted: (queue: ConsumedQueue, asked: number) => number;
  /** Called when messages have arrived. */
  readonly onReceived: () => void;
  /** Starts the drain, with a reason. */
  readonly stop: (reason: Error) => void;
}

export class ConsumedQueue implements ScheduledQueue {
  readonly queue: Queue;
  readonly weight: number;
  readonly waiting = new WaitingMessages();
  readonly timings = new Timings();
  readonly leases: Leases;
  readonly settler: Settler;
  readonly receiver: Receiver;
  readonly #options: ConsumedQueueOptions;
  /** What its messages know of it. */
  readonly #identity: Pick<Queue, 'name' | 'fifo'>;
  /** Seconds. */
  readonly #visibilityTimeout: number;
  #receivedWhileDraining = 0;
  #returnedWhileDraining = 0;

  constructor(options: ConsumedQueueOptions) {
    const { queue, weight, settings, observer, machine, draining } = options;
    this.#options = options;
    this.queue = queue;
    this.#identity = { name: queue.name, fifo: queue.fifo };
    this.weight = weight;
    // The queue's own may be 0, but a lease needs more.
    this.#visibilityTimeout =
      settings.visibilityTimeout ?? (queue.visibilityTimeout || DEFAULT_VISIBILITY_TIMEOUT);
    const shared = { queue, settings, observer, machine, draining, timings: this.timings };
    this.leases = new Leases({
      ...shared,
      visibilityTimeout: this.#visibilityTimeout,
      onLost: (held) => this.#lost(held),
    });
    this.settler = new Settler({ ...shared, leases: this.leases, deadLetterQueue: options.deadLetterQueue });
    this.receiver = new Receiver({
      ...shared,
      visibilityTimeout: this.#visibilityTimeout,
      wanted: (asked) => options.wanted(this, asked),
      deliver: (messages, leaseStartedAt) => this.#accept(messages, leaseStartedAt),
      stop: options.stop,
    });
  }

  get maxBatch(): number {
    return this.queue.limits.maxBatch;
  }

  get isNew(): boolean {
    return this.receiver.isNew;
  }

  receiveMore(): void {
    this.receiver.receiveMore();
  }

  /** The number of messages that arrived after the drain started. */
  get receivedWhileDraining(): number {
    return this.#receivedWhileDraining;
  }

  /** How many of those were returned to the queue: all except the ones already handled here, which are deleted. */
  get returnedWhileDraining(): number {
    return this.#returnedWhileDraining;
  }

  /**
   * Checks that this process still owns a message before its worker starts; with `deleteOnStart`, also deletes it
   * first. False if the message must not run here: it has then been settled or returned.
   */
  claim(held: HeldMessage): boolean | Promise<boolean> {
    if (this.settler.wasHandled(held.message.id)) {
      // Its worker finished late, and we received the message again before the delete was sent.
      this.settler.settle(held, handled);
      return false;
    }
    if (!this.leases.owns(held)) {
      this.#returnBehind(held);
      return false;
    }
    return this.#options.settings.deleteOnStart ? this.#deleteFirst(held) : true;
  }

  /** Hands the outcome of a message to the settler. */
  settle(held: HeldMessage, outcome: Outcome): void {
    if (outcome !== returned) this.#options.observer.done?.(held);
    // A message that will be retried must not end up behind the messages that followed it.
    if (outcome.action === 'retry' || !this.leases.owns(held)) this.#returnBehind(held);
    this.settler.settle(held, outcome);
  }

  /** Returns all waiting messages to the queue; the result is how many there were. */
  returnWaiting(): number {
    const waiting = this.waiting.takeAll();
    for (const held of waiting) this.settler.settle(held, returned);
    return waiting.length;
  }

  async #deleteFirst(held: HeldMessage): Promise<boolean> {
    const isDeleted = await this.settler.deleteFirst(held);
    if (!isDeleted) this.#returnBehind(held);
    return isDeleted;
  }

  /** FIFO: returns the unstarted messages of the same group to the queue. */
  #returnBehind(held: HeldMessage): void {
    for (const behind of this.waiting.takeBehind(held)) this.settler.settle(behind, returned);
  }

  #accept(messages: Message[], receivedAt: number): void {
    const leaseEndsAt = receivedAt + this.#visibilityTimeout * 1000;
    const { draining } = this.#options;
    if (draining.aborted) this.#receivedWhileDraining += messages.length;
    for (const message of messages) {
      const crashes = this.#crashesOf(message);
      const group = this.#groupOf(message, crashes);
      const held = new HeldMessage({
        message,
        queue: this.#identity,
        group,
        crashes,
        receivedAt,
        leaseEndsAt,
      });
      this.leases.hold(held);
      if (this.settler.wasHandled(message.id)) {
        this.settler.settle(held, handled);
      } else if (draining.aborted) {
        this.#returnedWhileDraining += 1;
        this.settler.settle(held, returned);
      } else {
        this.waiting.add(held);
      }
    }
    this.#options.onReceived();
  }

  /** A message that crashed a process was received before, so first receives skip the lookup. */
  #crashesOf({ id, receiveCount }: Message): number {
    return receiveCount > 1 ? (this.#options.crashRecord?.crashes(this.queue.name, id) ?? 0) : 0;
  }

  /** Messages that may crash the process run one at a time, so that a crash is not blamed on the others. */
  #groupOf({ groupId = '' }: Message, crashes: number): string | undefined {
    if (this.queue.fifo) return groupId;
    return crashes > 0 ? 'crashed before' : undefined;
  }

  /** Drops a message that has not started: another process may have it now. */
  #lost(held: HeldMessage): void {
    if (held.state !== 'received') return;
    this.waiting.remove(held);
    held.finish();
    this.#returnBehind(held);
  }
}
