/**
 * One queue that a consumer works on, with the boxes that are its own: receiver, waiting messages, leases and settler.
 * The slots, which run the worker, are shared with the other queues.
 */
import type { Message, Queue } from '../brokers/broker.ts';
import type { ContainerSettings } from '../config/config.ts';
import type { Machine } from '../host/host.ts';
import { handled, type Outcome, released } from '../worker/outcome.ts';
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
  /** Its share of the slots while other queues have messages, too. */
  readonly weight: number;
  readonly settings: Pick<
    ContainerSettings,
    'poll' | 'idlePause' | 'visibilityTimeout' | 'settleDelay' | 'deleteOnStart'
  >;
  /** Where messages go that are buried. */
  readonly deadLetterQueue: Queue | undefined;
  readonly crashRecord: CrashRecord | undefined;
  readonly observer: ConsumerObserver;
  readonly machine: Machine;
  readonly draining: AbortSignal;
  /** How many messages to ask for now. */
  readonly wanted: (queue: ConsumedQueue, asked: number) => number;
  /** Called when messages have come. */
  readonly onReceived: () => void;
  /** Begins the drain, with its reason. */
  readonly stop: (reason: Error) => void;
}

/** What SQS takes for a queue whose own visibility timeout is 0, which no lease can work with. */
const DEFAULT_VISIBILITY_TIMEOUT = 30;

export class ConsumedQueue implements ScheduledQueue {
  readonly queue: Queue;
  readonly weight: number;
  readonly waiting = new WaitingMessages();
  readonly timings = new Timings();
  readonly leases: Leases;
  readonly settler: Settler;
  readonly receiver: Receiver;
  readonly #options: ConsumedQueueOptions;
  /** Seconds. */
  readonly #visibilityTimeout: number;
  #receivedWhileDraining = 0;

  constructor(options: ConsumedQueueOptions) {
    const { queue, weight, settings, observer, machine, draining } = options;
    this.#options = options;
    this.queue = queue;
    this.weight = weight;
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

  get isNew(): boolean {
    return this.receiver.isNew;
  }

  receiveMore(): void {
    this.receiver.receiveMore();
  }

  /** What came after the drain had begun. */
  get receivedWhileDraining(): number {
    return this.#receivedWhileDraining;
  }

  /**
   * Makes sure that a message whose turn has come is this process's or, with `deleteOnStart`, nobody's. False if it is
   * not to be run here; it is looked after then.
   */
  claim(held: HeldMessage): boolean | Promise<boolean> {
    if (this.settler.wasHandled(held.message.id)) {
      // It was received again before the delete of its late worker was sent.
      this.settler.settle(held, handled);
      return false;
    }
    if (!this.leases.owns(held)) {
      this.#releaseBehind(held);
      return false;
    }
    return this.#options.settings.deleteOnStart ? this.#deleteFirst(held) : true;
  }

  /** Takes the outcome of a message: from here it is the settler's. */
  settle(held: HeldMessage, outcome: Outcome): void {
    if (outcome !== released) this.#options.observer.done?.(held);
    // What comes again must not come after those behind it.
    if (outcome.action === 'retry' || !this.leases.owns(held)) this.#releaseBehind(held);
    this.settler.settle(held, outcome);
  }

  /** Gives back what waits; the number of these messages. */
  releaseWaiting(): number {
    const waiting = this.waiting.takeAll();
    for (const held of waiting) this.settler.settle(held, released);
    return waiting.length;
  }

  async #deleteFirst(held: HeldMessage): Promise<boolean> {
    const isDeleted = await this.settler.deleteFirst(held);
    if (!isDeleted) this.#releaseBehind(held);
    return isDeleted;
  }

  /** FIFO: gives back, untouched, what waits behind a message of its group. */
  #releaseBehind(held: HeldMessage): void {
    for (const behind of this.waiting.takeBehind(held)) this.settler.settle(behind, released);
  }

  #accept(messages: Message[], receivedAt: number): void {
    const { name, fifo } = this.queue;
    const leaseEndsAt = receivedAt + this.#visibilityTimeout * 1000;
    for (const message of messages) {
      const crashes = this.#crashesOf(message);
      const group = this.#groupOf(message, crashes);
      const held = new HeldMessage({
        ...{ message, queue: { name, fifo }, group, crashes, receivedAt, leaseEndsAt },
      });
      this.leases.hold(held);
      if (this.settler.wasHandled(message.id)) {
        this.settler.settle(held, handled);
      } else if (this.#options.draining.aborted) {
        this.#receivedWhileDraining += 1;
        this.settler.settle(held, released);
      } else {
        this.waiting.add(held);
      }
    }
    this.#options.onReceived();
  }

  /** What ended a process was received before: the others need no look at the record. */
  #crashesOf({ id, receiveCount }: Message): number {
    return receiveCount > 1 ? (this.#options.crashRecord?.crashes(this.queue.name, id) ?? 0) : 0;
  }

  /** Of messages that may end the process one runs at a time, so that the others are not suspected with it. */
  #groupOf({ groupId = '' }: Message, crashes: number): string | undefined {
    if (this.queue.fifo) return groupId;
    return crashes > 0 ? 'suspects' : undefined;
  }

  /** What was not started is not started any more. */
  #lost(held: HeldMessage): void {
    if (held.state !== 'received') return;
    this.waiting.remove(held);
    held.finish();
    this.#releaseBehind(held);
  }
}
