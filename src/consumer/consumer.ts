/**
 * The run loop, put together: messages go from the receivers of the queues through the slots to the settlers, while the
 * leases keep hold of them; at the end, it drains. Each part is a file beside this one.
 */
import type { Queue } from '../brokers/broker.ts';
import { type MessageLog, silentLog } from '../worker/current-message.ts';
import { handled, type Outcome, type OutcomePolicy, released } from '../worker/outcome.ts';
import type { Worker } from '../worker/worker.ts';
import { Attempts } from './attempts.ts';
import type { CrashRecord } from './crash-record.ts';
import type { Delivery } from './delivery.ts';
import { receiveSize } from './demand.ts';
import { type DrainReport, drain } from './drain.ts';
import { IdleExit } from './idle-exit.ts';
import { type ConsumerObserver, harmless } from './observer.ts';
import { Slots } from './slots.ts';
import { Source } from './source.ts';
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
  /**
   * Drain after so many messages; `shared`: handle as many as `allow` adds up to, and wait for more. Default: no limit.
   */
  readonly messageLimit?: number | 'shared';
  /** Called when a message is done, whatever its outcome; not when it is given back for another process. */
  readonly onDone?: () => void;
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

/** What is held of a queue, and how its receives go. */
export interface QueueLoad {
  readonly name: string;
  /** Messages that are held: waiting, running and settling. */
  readonly held: number;
  readonly running: number;
  /** True while receives fail. */
  readonly failing: boolean;
  /** For how long receives have been under way and none has ended. */
  readonly silentSeconds: number;
}

/** `paused`: nothing more is received, and what is held goes on. */
export type ConsumerState = 'running' | 'paused' | 'draining';

export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #observer: ConsumerObserver;
  readonly #sources: readonly Source[];
  readonly #turns: Turns;
  readonly #attempts: Attempts;
  readonly #slots: Slots;
  readonly #idleExit: IdleExit;
  readonly #stopRequested = Promise.withResolvers<void>();
  #allowed: number;
  #started = 0;
  #finished = 0;
  #idle = false;
  #state: ConsumerState = 'running';

  constructor(
    queues: readonly WeightedQueue[],
    worker: Worker,
    options: ConsumerOptions,
    ...observers: readonly ConsumerObserver[]
  ) {
    this.#options = options;
    const { messageLimit = Number.POSITIVE_INFINITY } = options;
    this.#allowed = messageLimit === 'shared' ? 0 : messageLimit;
    this.#observer = harmless(observers);
    this.#sources = queues.map((queue) => this.#source(queue));
    this.#turns = new Turns(this.#sources);
    this.#attempts = new Attempts(worker, {
      ...options,
      canBury: options.deadLetterQueue !== undefined,
      observer: this.#observer,
      onStuck: () => this.stop(),
    });
    this.#slots = new Slots({
      count: options.slots,
      next: () => this.#next(),
      handle: (delivery) => this.#handle(delivery),
      onChange: () => this.#poke(),
    });
    this.#idleExit = new IdleExit({
      seconds: options.idleExit,
      isBusy: () =>
        this.held > 0 || this.#state === 'paused' || this.#sources.some(({ receiver }) => receiver.failing),
      onIdle: () => {
        this.#idle = true;
        this.stop();
      },
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
    const report = await drain(this.#sources, this.#slots, this.#options.drainTimeout, (delivery) =>
      this.#done(this.#attempts.unfinished(delivery)),
    );
    if (polling && 'error' in polling) throw polling.error;
    return report;
  }

  /** Begins the drain; `run` resolves at its end. Calling it again changes nothing. */
  stop(): void {
    this.#state = 'draining';
    for (const source of this.#sources) source.startDraining();
    void this.#slots.stop();
    this.#stopRequested.resolve();
  }

  /** Receives nothing more until `resume`; what is held is handled. Has no effect once it drains. */
  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    for (const { receiver } of this.#sources) receiver.pause();
  }

  /** Ends what `pause` began. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#idleExit.active();
    for (const { receiver } of this.#sources) receiver.resume();
  }

  get state(): ConsumerState {
    return this.#state;
  }

  /** Polls at once where polling pauses, after a failure or because a queue is empty. */
  wake(): void {
    for (const { receiver } of this.#sources) receiver.wake();
  }

  /** Raises the message limit by so many, where it is `shared`. */
  allow(messages: number): void {
    this.#allowed += messages;
    this.#slots.fill();
    this.#poke();
  }

  /** True once it has ended, or begun to, because no message came for `idleExit` seconds. */
  get idle(): boolean {
    return this.#idle;
  }

  /** How many messages are held: waiting, running and settling. */
  get held(): number {
    let held = 0;
    for (const { leases } of this.#sources) held += leases.size;
    for (const { leaseLost } of this.#slots.running) if (leaseLost) held += 1;
    return held;
  }

  /** What is held now and how receiving goes, by queue. */
  get loads(): QueueLoad[] {
    return this.#sources.map(({ queue, leases, running, receiver }) => ({
      name: queue.name,
      held: leases.size,
      running,
      failing: receiver.failing,
      silentSeconds: receiver.silentSeconds,
    }));
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
      // What ended a process was received before: the others need no look at the record.
      crashesOf: ({ id, receiveCount }) =>
        receiveCount > 1 ? (this.#options.crashRecord?.crashes(queue.name, id) ?? 0) : 0,
      demand: (source, asked) => this.#demand(source, asked),
      onReceived: () => {
        this.#idleExit.active();
        this.#slots.fill();
      },
    });
  }

  #poke(): void {
    for (const { receiver } of this.#sources) receiver.poke();
  }

  #demand(source: Source, asked: number): number {
    const { prefetch = 'auto' } = this.#options;
    const share = this.#turns.shareOf(source);
    const free = Math.max(0, this.#slots.free - this.#turns.readyBeside(source));
    return receiveSize({
      slots: this.#slots.count * share,
      free: Math.ceil(free * share),
      waiting: source.waiting.ready,
      asked,
      prefetch,
      reserve: this.#sources.length > 1 ? 1 : 0,
      handlingMs: source.handlingMs,
      slowestMs: source.slowestMs,
      receiveMs: source.network.receiveMs,
      remaining: this.#allowed - this.#started - this.#waiting,
    });
  }

  get #waiting(): number {
    let size = 0;
    for (const { waiting } of this.#sources) size += waiting.size;
    return size;
  }

  /** The next message to start. Counted before its slot asks for more, which must not exceed the message limit. */
  #next(): Delivery | undefined {
    const delivery = this.#started < this.#allowed ? this.#turns.next() : undefined;
    if (delivery) this.#started += 1;
    return delivery;
  }

  async #handle(delivery: Delivery): Promise<void> {
    const { source } = delivery;
    if (source.settler.wasHandled(delivery.message.id)) {
      // It was received again before the delete of its late worker was sent.
      source.settler.settle(delivery, handled);
      this.#started -= 1;
    } else if (await this.#mayStart(delivery)) {
      const outcome = this.#done(await this.#attempts.run(delivery));
      // What comes again must not come after those behind it.
      if (outcome.action === 'retry' || !source.leases.owns(delivery)) source.releaseBehind(delivery);
      source.settler.settle(delivery, outcome);
      this.#idleExit.active();
      this.#finished += 1;
    } else {
      source.releaseBehind(delivery);
      this.#started -= 1;
    }
    source.waiting.finished(delivery);
    if (this.#finished === this.#options.messageLimit) this.stop();
  }

  /** Tells that a message is done, unless it is given back for another process. */
  #done(outcome: Outcome): Outcome {
    if (outcome !== released) this.#options.onDone?.();
    return outcome;
  }

  /** Makes sure that the message is this process's, or nobody's: with `deleteOnStart`. */
  async #mayStart(delivery: Delivery): Promise<boolean> {
    const { leases, settler } = delivery.source;
    if (!leases.owns(delivery)) return false;
    if (this.#options.deleteOnStart && !(await settler.deleteFirst(delivery))) return false;
    delivery.phase = 'running';
    return true;
  }
}
