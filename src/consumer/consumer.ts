/**
 * The run loop, put together: messages go from the receivers of the queues through the slots to the settlers, while the
 * leases keep hold of them; at the end, it drains. Each part is a file beside this one.
 */
import type { Message, Queue } from '../brokers/broker.ts';
import { type MessageLog, silentLog, withCurrentMessage } from '../worker/current-message.ts';
import { buried, handled, type Outcome, type OutcomePolicy, outcomeOf } from '../worker/outcome.ts';
import type { Worker } from '../worker/worker.ts';
import { CrashLimitError, type CrashRecord } from './crash-record.ts';
import type { Delivery } from './delivery.ts';
import { receiveSize } from './demand.ts';
import { type DrainReport, DrainTimeoutError, drain, released } from './drain.ts';
import { IdleExit } from './idle-exit.ts';
import { type ConsumerObserver, harmless } from './observer.ts';
import { Slots } from './slots.ts';
import { Source } from './source.ts';
import { limitTime } from './time-limit.ts';
import { Turns } from './turns.ts';

export interface ConsumerOptions extends OutcomePolicy {
  /** How many messages are handled at once. */
  readonly slots: number;
  /** How many messages to hold beside those that run. Default: what fast workers need, next to nothing for slow ones. */
  readonly prefetch?: number | 'auto';
  /** How long a receive waits for a first message, in seconds. */
  readonly waitSeconds: number;
  /** The longest pause between receives while a queue is empty, in seconds. Default 0: none. */
  readonly idlePause?: number;
  /** How long a received message stays invisible, in seconds; default: the queue's own visibility timeout. */
  readonly visibilityTimeout?: number;
  /** The longest that an outcome waits for others to share its request, in milliseconds. */
  readonly settleDelayMs: number;
  /** Where messages go that are buried; needed for `onError: 'dead_letter'`. */
  readonly deadLetterQueue?: Queue;
  /** How long a worker may take, in seconds. Default: as long as it likes. */
  readonly handlerTimeout?: number;
  /** Deletes each message before it is handled: at most once, instead of at least once. Default false. */
  readonly deleteOnStart?: boolean;
  /** Drain after so many messages. */
  readonly messageLimit?: number;
  /** Drain after so many seconds without a message. */
  readonly idleExit?: number;
  /** How long workers may go on after `stop`, in seconds. */
  readonly drainTimeout: number;
  /** Which messages ended earlier processes; one that did so `crashLimit` times is not run again. Default: not known. */
  readonly crashRecord?: CrashRecord;
  readonly crashLimit?: number;
  /** The log that a worker gets for a message. Default: none. */
  readonly logOf?: (delivery: Delivery) => MessageLog;
}

/** A queue to work on, and its share of the slots while others have messages, too. */
export interface WeightedQueue {
  readonly queue: Queue;
  readonly weight: number;
}

export class Consumer {
  readonly #worker: Worker;
  readonly #options: ConsumerOptions;
  readonly #observer: ConsumerObserver;
  readonly #sources: readonly Source[];
  readonly #slots: Slots;
  readonly #idleExit: IdleExit;
  readonly #stopRequested = Promise.withResolvers<void>();
  #started = 0;
  #finished = 0;

  constructor(
    queues: readonly WeightedQueue[],
    worker: Worker,
    options: ConsumerOptions,
    observer: ConsumerObserver = {},
  ) {
    this.#worker = worker;
    this.#options = options;
    this.#observer = harmless(observer);
    this.#sources = queues.map((queue) => this.#source(queue));
    const turns = new Turns(this.#sources);
    this.#slots = new Slots({
      count: options.slots,
      next: () => this.#counted(turns.next()),
      handle: (delivery) => this.#handle(delivery),
      onChange: () => this.#poke(),
    });
    this.#idleExit = new IdleExit({
      seconds: options.idleExit,
      isBusy: () => this.held > 0 || this.#sources.some(({ receiver }) => receiver.failing),
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
      Promise.all(this.#sources.map(({ receiver }) => receiver.run())).catch((error: unknown) => ({ error })),
      this.#stopRequested.promise,
    ]);
    this.stop();
    this.#idleExit.stop();
    const report = await drain(this.#sources, this.#slots, this.#options.drainTimeout);
    if (polling && 'error' in polling) throw polling.error;
    return report;
  }

  /** Begins the drain; `run` resolves at its end. Calling it again changes nothing. */
  stop(): void {
    for (const source of this.#sources) source.startDraining();
    this.#stopRequested.resolve();
  }

  /** Polls at once where polling pauses, after a failure or because a queue is empty. */
  wake(): void {
    for (const { receiver } of this.#sources) receiver.wake();
  }

  /** How many messages are held: waiting, running and settling. */
  get held(): number {
    return this.#sources.reduce((held, { leases }) => held + leases.size, 0);
  }

  #source({ queue, weight }: WeightedQueue): Source {
    const { waitSeconds, idlePause = 0, visibilityTimeout, settleDelayMs, deadLetterQueue } = this.#options;
    return new Source({
      queue,
      weight,
      waitSeconds,
      idlePause,
      visibilityTimeout,
      settleDelayMs,
      deadLetterQueue,
      observer: this.#observer,
      logOf: this.#options.logOf ?? (() => silentLog),
      groupOf: (message) => this.#groupOf(message, queue),
      demand: (source, asked, receiveMs) => this.#demand(source, asked, receiveMs),
      onReceived: () => {
        this.#idleExit.active();
        this.#slots.fill();
      },
    });
  }

  /** Of messages that may end the process one runs at a time, so that the others are not suspected with it. */
  #groupOf(message: Message, queue: Queue): string | undefined {
    if (queue.fifo) return message.groupId ?? '';
    const { crashRecord } = this.#options;
    return crashRecord && crashRecord.crashes(queue.name, message.id) > 0 ? 'suspects' : undefined;
  }

  #poke(): void {
    for (const { receiver } of this.#sources) receiver.poke();
  }

  #demand(source: Source, asked: number, receiveMs: number | undefined): number {
    const { prefetch = 'auto', messageLimit = Number.POSITIVE_INFINITY } = this.#options;
    const others = this.#sources.filter((other) => other !== source);
    const waitingElsewhere = others.reduce((sum, { waiting }) => sum + waiting.size, 0);
    const weights = others.reduce((sum, { active, weight }) => sum + (active ? weight : 0), source.weight);
    return receiveSize({
      slots: (this.#slots.count * source.weight) / weights,
      free: Math.max(0, this.#slots.free - waitingElsewhere),
      waiting: source.waiting.size,
      asked,
      prefetch,
      reserve: others.length > 0 ? 1 : 0,
      handlingMs: source.handlingMs,
      receiveMs,
      remaining: messageLimit - this.#started - waitingElsewhere,
    });
  }

  /** Counted before its slot asks for more messages, which must not exceed the message limit. */
  #counted(delivery: Delivery | undefined): Delivery | undefined {
    if (delivery) this.#started += 1;
    return delivery;
  }

  async #handle(delivery: Delivery): Promise<void> {
    const { source } = delivery;
    if (await this.#mayStart(delivery)) {
      const outcome = await this.#recorded(delivery);
      if (outcome.action === 'retry') source.releaseBehind(delivery);
      source.settler.settle(delivery, outcome);
      this.#idleExit.active();
      this.#finished += 1;
    } else {
      this.#started -= 1;
    }
    // What comes again must not come after those behind it.
    if (delivery.leaseLost) source.releaseBehind(delivery);
    source.waiting.finished(delivery);
    if (this.#finished === this.#options.messageLimit) this.stop();
  }

  async #mayStart(delivery: Delivery): Promise<boolean> {
    const { leases, settler } = delivery.source;
    if (!leases.owns(delivery)) return false;
    if (this.#options.deleteOnStart) return settler.deleteFirst(delivery);
    delivery.phase = 'running';
    return true;
  }

  /** Runs the worker, unless that would most likely end the process once more. */
  async #recorded(delivery: Delivery): Promise<Outcome> {
    const { crashRecord, crashLimit = 0 } = this.#options;
    if (!crashRecord) return this.#run(delivery);
    const { queue, message } = delivery;
    const crashes = crashRecord.crashes(queue.name, message.id);
    if (crashLimit > 0 && crashes >= crashLimit) {
      const outcome = this.#options.deadLetterQueue ? buried : handled;
      crashRecord.forget(queue.name, message.id);
      return this.#told(delivery, new CrashLimitError(crashes), outcome, 0);
    }
    crashRecord.started(queue.name, message.id);
    const outcome = await this.#run(delivery);
    crashRecord.ended(queue.name, message.id);
    if (crashes > 0) crashRecord.forget(queue.name, message.id);
    return outcome;
  }

  async #run(delivery: Delivery): Promise<Outcome> {
    const { handlerTimeout } = this.#options;
    const limit =
      handlerTimeout === undefined
        ? undefined
        : limitTime(delivery, handlerTimeout, (seconds) => this.#stuck(delivery, seconds));
    const startedAt = performance.now();
    let outcome = handled;
    try {
      const running = withCurrentMessage(delivery, () => this.#worker.handleMessage(delivery.message));
      if (running !== undefined) await running;
      if (limit?.error) throw limit.error;
      this.#observer.handled?.(delivery, performance.now() - startedAt);
    } catch (error) {
      outcome = this.#outcomeOfFailure(delivery, limit?.error ?? error, performance.now() - startedAt);
    }
    limit?.end();
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
    const outcome = interrupted ? released : outcomeOf(error, this.#options, delivery.message.receiveCount);
    return this.#told(delivery, error, outcome, milliseconds);
  }

  /** The outcome of a failure, once the observer has it; without that the message must come back. */
  #told(delivery: Delivery, error: unknown, outcome: Outcome, milliseconds: number): Outcome {
    try {
      this.#observer.failed?.(delivery, error, outcome, milliseconds);
      return outcome;
    } catch {
      return { action: 'retry' };
    }
  }

  #stuck(delivery: Delivery, seconds: number): void {
    this.#observer.stuck?.(delivery, seconds);
    this.stop();
  }
}
