/**
 * One queue that a consumer works on, with the boxes that are its own: receiver, waiting messages, leases and settler.
 * The slots, which run the worker, are shared with the other queues.
 */
import type { Message, Queue } from '../brokers/broker.ts';
import type { MessageLog } from '../worker/current-message.ts';
import { handled, released } from '../worker/outcome.ts';
import { Delivery } from './delivery.ts';
import { Leases } from './leases.ts';
import { NetworkTime } from './network-time.ts';
import type { ConsumerObserver } from './observer.ts';
import { Receiver } from './receiver.ts';
import { Settler } from './settler.ts';
import { Waiting } from './waiting.ts';

export interface SourceOptions {
  readonly queue: Queue;
  /** Its share of the slots, while other queues have messages, too. */
  readonly weight: number;
  /** How long a receive waits for a first message, in seconds. */
  readonly waitSeconds: number;
  /** The longest pause between receives while the queue is empty, in seconds; 0: none. */
  readonly idlePause: number;
  /** How long a received message stays invisible, in seconds; default: the queue's own visibility timeout. */
  readonly visibilityTimeout: number | undefined;
  readonly settleDelayMs: number;
  /** Where messages go that are buried. */
  readonly deadLetterQueue: Queue | undefined;
  readonly observer: ConsumerObserver;
  /** The log that a worker gets for a message. */
  readonly logOf: (delivery: Delivery) => MessageLog;
  /** How many processes ended while they ran a message. */
  readonly crashesOf: (message: Message) => number;
  /** How many messages to ask for now. */
  readonly demand: (source: Source, asked: number) => number;
  /** Called when messages have come. */
  readonly onReceived: () => void;
}

/** What SQS takes for a queue whose own visibility timeout is 0, which no lease can work with. */
const DEFAULT_VISIBILITY_TIMEOUT = 30;
/** How much a new measurement counts in the average handling time. */
const SMOOTHING = 0.1;
/** How much of the longest time counts after one more message: of 2 s, 0.7 s after ten. */
const FADING = 0.9;
/** So many messages say how long others may take. */
const ENOUGH = 3;
/** What a message costs beside its worker, in milliseconds; keeps the average of no-op workers above 0. */
const OVERHEAD_MS = 0.05;

export class Source {
  readonly queue: Queue;
  readonly weight: number;
  readonly waiting: Waiting;
  readonly leases: Leases;
  readonly settler: Settler;
  readonly receiver: Receiver;
  readonly network = new NetworkTime();
  /** How many of its messages run now. */
  running = 0;
  /** The average time that a message keeps its slot, in milliseconds; undefined before the first is done. */
  handlingMs: number | undefined;
  #slowestMs = 0;
  #measured = 0;
  /** What came after the drain had begun. */
  receivedWhileDraining = 0;
  /** The log that a worker gets for a message. */
  readonly logOf: (delivery: Delivery) => MessageLog;
  readonly #options: SourceOptions;
  /** Seconds. */
  readonly #visibilityTimeout: number;
  #draining = false;

  constructor(options: SourceOptions) {
    const { queue, observer } = options;
    this.#options = options;
    this.queue = queue;
    this.weight = options.weight;
    this.logOf = options.logOf;
    this.#visibilityTimeout =
      options.visibilityTimeout ?? (queue.visibilityTimeout || DEFAULT_VISIBILITY_TIMEOUT);
    this.waiting = new Waiting();
    this.leases = new Leases(queue, this.#visibilityTimeout, observer, (delivery) => this.#lost(delivery));
    this.settler = new Settler({
      queue,
      leases: this.leases,
      observer,
      delayMs: options.settleDelayMs,
      deadLetterQueue: options.deadLetterQueue,
      onAnswer: (milliseconds) => this.network.answered(milliseconds),
    });
    this.receiver = new Receiver({
      queue,
      waitSeconds: options.waitSeconds,
      idlePause: options.idlePause,
      visibilityTimeout: this.#visibilityTimeout,
      network: this.network,
      demand: (asked) => (this.#draining ? 0 : options.demand(this, asked)),
      deliver: (messages, leaseStartedAt) => this.#accept(messages, leaseStartedAt),
      observer,
    });
  }

  /** True while it has something to run, or may have: only such queues share the slots. */
  get active(): boolean {
    return this.running > 0 || this.waiting.size > 0 || this.receiver.isNew;
  }

  /** Asks for no more, and gives back what still comes. */
  startDraining(): void {
    this.#draining = true;
    this.settler.startDraining();
  }

  /** Notes how long a message kept its slot. */
  measure(milliseconds: number): void {
    const sample = milliseconds + OVERHEAD_MS;
    this.handlingMs =
      this.handlingMs === undefined ? sample : this.handlingMs + SMOOTHING * (sample - this.handlingMs);
    this.#slowestMs = Math.max(sample, this.#slowestMs * FADING);
    this.#measured += 1;
  }

  /** The longest time that one of the last messages kept its slot, in milliseconds; undefined while there were few. */
  get slowestMs(): number | undefined {
    return this.#measured < ENOUGH ? undefined : this.#slowestMs;
  }

  /** FIFO: gives back, untouched, what waits behind a message of its group. */
  releaseBehind(delivery: Delivery): void {
    for (const behind of this.waiting.takeBehind(delivery)) this.settler.settle(behind, released);
  }

  #accept(messages: Message[], receivedAt: number): void {
    const leaseEndsAt = receivedAt + this.#visibilityTimeout * 1000;
    for (const message of messages) {
      const crashes = this.#options.crashesOf(message);
      const group = this.#groupOf(message, crashes);
      const delivery = new Delivery({ message, source: this, group, crashes, receivedAt, leaseEndsAt });
      this.leases.hold(delivery);
      if (this.settler.wasHandled(message.id)) {
        this.settler.settle(delivery, handled);
      } else if (this.#draining) {
        this.receivedWhileDraining += 1;
        this.settler.settle(delivery, released);
      } else {
        this.waiting.add(delivery);
      }
    }
    this.#options.onReceived();
  }

  /** Of messages that may end the process one runs at a time, so that the others are not suspected with it. */
  #groupOf({ groupId = '' }: Message, crashes: number): string | undefined {
    if (this.queue.fifo) return groupId;
    return crashes > 0 ? 'suspects' : undefined;
  }

  #lost(delivery: Delivery): void {
    if (delivery.phase !== 'waiting') return;
    this.waiting.remove(delivery);
    this.releaseBehind(delivery);
  }
}
