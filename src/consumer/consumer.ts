/**
 * The run loop, put together: messages go from the receiver through the slots to the settler, while the leases keep
 * hold of them; at the end, it drains. Each part is a file beside this one.
 */
import type { Message, Queue } from '../brokers/broker.ts';
import { withCurrentMessage } from '../worker/current-message.ts';
import { handled, type OnError, type Outcome, outcomeOf } from '../worker/outcome.ts';
import type { Worker } from '../worker/worker.ts';
import { Delivery } from './delivery.ts';
import { receiveSize } from './demand.ts';
import { type DrainReport, DrainTimeoutError, drain, released } from './drain.ts';
import { IdleExit } from './idle-exit.ts';
import { Leases } from './leases.ts';
import { type ConsumerObserver, harmless } from './observer.ts';
import { Receiver } from './receiver.ts';
import { Settler } from './settler.ts';
import { Slots } from './slots.ts';
import { Waiting } from './waiting.ts';

export interface ConsumerOptions {
  /** How many messages are handled at once. */
  readonly slots: number;
  /** How long a receive waits for a first message, in seconds. */
  readonly waitSeconds: number;
  /** How long a received message stays invisible, in seconds; default: the queue's own visibility timeout. */
  readonly visibilityTimeout?: number;
  /** The longest that an outcome waits for others to share its request, in milliseconds. */
  readonly settleDelayMs: number;
  readonly onError: OnError;
  /** Drain after so many messages. */
  readonly messageLimit?: number;
  /** Drain after so many seconds without a message. */
  readonly idleExit?: number;
  /** How long workers may go on after `stop`, in seconds. */
  readonly drainTimeout: number;
}

/** What SQS takes for a queue whose own visibility timeout is 0, which no lease can work with. */
const DEFAULT_VISIBILITY_TIMEOUT = 30;

export class Consumer {
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #options: ConsumerOptions;
  readonly #observer: ConsumerObserver;
  /** Seconds. */
  readonly #visibilityTimeout: number;
  readonly #waiting: Waiting;
  readonly #leases: Leases;
  readonly #settler: Settler;
  readonly #slots: Slots;
  readonly #receiver: Receiver;
  readonly #idleExit: IdleExit;
  readonly #stopRequested = Promise.withResolvers<void>();
  #draining = false;
  #receivedWhileDraining = 0;
  #started = 0;
  #finished = 0;

  constructor(queue: Queue, worker: Worker, options: ConsumerOptions, observer: ConsumerObserver = {}) {
    this.#queue = queue;
    this.#worker = worker;
    this.#options = options;
    this.#observer = harmless(observer);
    this.#visibilityTimeout =
      options.visibilityTimeout ?? (queue.visibilityTimeout || DEFAULT_VISIBILITY_TIMEOUT);
    this.#waiting = new Waiting(queue.fifo);
    this.#leases = new Leases(queue, this.#visibilityTimeout, this.#observer, (delivery) =>
      this.#leaseLost(delivery),
    );
    this.#settler = new Settler(queue, this.#leases, this.#observer, options.settleDelayMs);
    this.#slots = new Slots({
      count: options.slots,
      next: () => this.#take(),
      handle: (delivery) => this.#handle(delivery),
      onChange: () => this.#receiver.poke(),
    });
    this.#receiver = new Receiver({
      queue,
      waitSeconds: options.waitSeconds,
      visibilityTimeout: this.#visibilityTimeout,
      demand: (asked, receiveMs) => this.#demand(asked, receiveMs),
      deliver: (messages, leaseStartedAt) => this.#accept(messages, leaseStartedAt),
      observer: this.#observer,
    });
    this.#idleExit = new IdleExit({
      seconds: options.idleExit,
      isBusy: () => this.held > 0 || this.#receiver.failing,
      onIdle: () => this.stop(),
    });
  }

  /**
   * Handles messages until `stop`, the message limit or the idle time; then drains.
   * Rejects with PollingStoppedError, after the drain, if polling came to a halt by itself.
   */
  async run(): Promise<DrainReport> {
    this.#idleExit.start();
    const polling = await Promise.race([
      this.#receiver.run().catch((error: unknown) => ({ error })),
      this.#stopRequested.promise,
    ]);
    this.#draining = true;
    this.#idleExit.stop();
    const report = await drain(
      {
        receiver: this.#receiver,
        waiting: this.#waiting,
        slots: this.#slots,
        leases: this.#leases,
        settler: this.#settler,
      },
      this.#options.drainTimeout,
      () => this.#receivedWhileDraining,
    );
    if (polling) throw polling.error;
    return report;
  }

  /** Begins the drain; `run` resolves at its end. Calling it again changes nothing. */
  stop(): void {
    this.#draining = true;
    this.#stopRequested.resolve();
  }

  /** Polls at once if polling pauses after a failure. */
  wake(): void {
    this.#receiver.wake();
  }

  /** How many messages are held: waiting, running and settling. */
  get held(): number {
    return this.#leases.size;
  }

  #demand(asked: number, receiveMs: number | undefined): number {
    if (this.#draining) return 0;
    return receiveSize({
      slots: this.#slots.count,
      free: this.#slots.free,
      waiting: this.#waiting.size,
      asked,
      handlingMs: this.#slots.handlingMs,
      receiveMs,
      remaining: (this.#options.messageLimit ?? Number.POSITIVE_INFINITY) - this.#started,
    });
  }

  #accept(messages: Message[], leaseStartedAt: number): void {
    this.#idleExit.active();
    for (const message of messages) {
      const leaseEndsAt = leaseStartedAt + this.#visibilityTimeout * 1000;
      const delivery = new Delivery(message, this.#queue, leaseStartedAt, leaseEndsAt);
      this.#leases.hold(delivery);
      if (this.#settler.wasHandled(message.id)) {
        this.#settler.settle(delivery, handled);
      } else if (this.#draining) {
        this.#receivedWhileDraining += 1;
        this.#settler.settle(delivery, released);
      } else {
        this.#waiting.add(delivery);
      }
    }
    this.#slots.fill();
  }

  /** Counted before its slot asks for more messages, which must not exceed the message limit. */
  #take(): Delivery | undefined {
    const delivery = this.#waiting.take();
    if (delivery) this.#started += 1;
    return delivery;
  }

  async #handle(delivery: Delivery): Promise<void> {
    if (this.#leases.owns(delivery)) {
      delivery.phase = 'running';
      const outcome = await this.#run(delivery);
      if (outcome.action === 'retry') this.#releaseBehind(delivery);
      this.#settler.settle(delivery, outcome);
      this.#idleExit.active();
      this.#finished += 1;
    } else {
      this.#started -= 1;
    }
    // What comes again must not come after those behind it.
    if (delivery.leaseLost) this.#releaseBehind(delivery);
    this.#waiting.finished(delivery);
    if (this.#finished === this.#options.messageLimit) this.stop();
  }

  /** FIFO: gives back, untouched, what waits behind a message of its group. */
  #releaseBehind(delivery: Delivery): void {
    for (const behind of this.#waiting.takeBehind(delivery)) this.#settler.settle(behind, released);
  }

  async #run(delivery: Delivery): Promise<Outcome> {
    const startedAt = performance.now();
    let outcome = handled;
    try {
      const running = withCurrentMessage(delivery, () => this.#worker.handleMessage(delivery.message));
      if (running !== undefined) await running;
      this.#observer.handled?.(delivery, performance.now() - startedAt);
    } catch (error) {
      outcome = this.#outcomeOfFailure(delivery, error, performance.now() - startedAt);
    }
    try {
      await this.#worker.afterMessage?.();
    } catch (error) {
      this.#observer.afterMessageFailed?.(delivery, error);
    }
    return outcome;
  }

  #outcomeOfFailure(delivery: Delivery, error: unknown, milliseconds: number): Outcome {
    // A worker that stopped because it was told to has not failed: its message is for another process.
    const interrupted = delivery.abortReason instanceof DrainTimeoutError;
    const outcome = interrupted ? released : outcomeOf(error, this.#options.onError);
    try {
      this.#observer.failed?.(delivery, error, outcome, milliseconds);
      return outcome;
    } catch {
      return { action: 'retry' };
    }
  }

  #leaseLost(delivery: Delivery): void {
    if (delivery.phase === 'waiting') this.#waiting.remove(delivery);
  }
}
