/**
 * The run loop on one page. A message goes from its queue's receiver through the scheduler to a slot, which runs the
 * worker, and then to the settler; its lease is kept alive all the way. `#work` is that path. At the end, it drains.
 *
 * Calls go down, from this page to its parts; results come back as return values, and one signal announces the drain.
 * Only these callbacks go up:
 * 1. `wanted`: a receiver asks the scheduler how many messages to request;
 * 2. `deliver`: a receiver hands new messages to its queue;
 * 3. `onReceived`: a queue tells the scheduler, which fills the free slots;
 * 4. `onLost`: the leases tell their queue about a lost message, so that it does not start;
 * 5. `stop`: a receiver that stopped polling, or a worker that ignores its time limit, starts the drain.
 */
import { setMaxListeners } from 'node:events';
import type { Queue } from '../brokers/broker.ts';
import type { ContainerSettings } from '../config/config.ts';
import { fullName } from '../config/queue-names.ts';
import { type Host, type Timer, untilAborted } from '../host/host.ts';
import { type Backoff, backoffOf } from '../worker/backoff.ts';
import { type MessageLog, silentLog } from '../worker/current-message.ts';
import type { Worker } from '../worker/worker.ts';
import { ConsumedQueue } from './consumed-queue.ts';
import { countHeld, type DrainReport, drain } from './drain.ts';
import type { HeldMessage } from './held-message.ts';
import { type ConsumerObserver, harmless } from './observer.ts';
import { PollingStoppedError } from './receiver.ts';
import { afterMessage, type CrashRecord, type RunOptions, runWorker } from './run-worker.ts';
import { Scheduler, type Turn } from './scheduler.ts';

/** The settings of `[container]` that the run loop uses; `config/options.ts` documents each. */
export type ConsumerSettings = Pick<
  ContainerSettings,
  | 'queue'
  | 'queuePrefix'
  | 'deadLetterQueue'
  | 'concurrency'
  | 'prefetch'
  | 'poll'
  | 'idlePause'
  | 'visibilityTimeout'
  | 'handlerTimeout'
  | 'settleDelay'
  | 'onError'
  | 'backoff'
  | 'backoffBase'
  | 'backoffMax'
  | 'backoffSpread'
  | 'crashLimit'
  | 'deleteOnStart'
  | 'messageLimit'
  | 'idleExit'
  | 'drainTimeout'
>;

/** What a run loop needs besides its settings. */
export interface ConsumerParts {
  readonly worker: Worker;
  /** Appended to the queue names. Default: nothing. */
  readonly suffix?: string | undefined;
  readonly observers?: readonly ConsumerObserver[];
  /** Makes the log that a worker gets for a message. Default: a silent log. */
  readonly logOf?: (held: HeldMessage) => MessageLog;
  /** The messages that crashed earlier processes. Default: no record. */
  readonly crashRecord?: CrashRecord | undefined;
  /** The message limit is shared with other processes: no message starts until `allow` is called. Default false. */
  readonly sharesMessageLimit?: boolean;
  /** How long a retried message waits. Default: from the settings. */
  readonly backoff?: Backoff | undefined;
}

/** A queue to consume, and its share of the slots while other queues also have messages. */
export interface WeightedQueue {
  readonly queue: Queue;
  readonly weight: number;
}

/** How many messages of a queue are held, and how its receives are doing. */
export interface QueueLoad {
  readonly name: string;
  /** Messages held: waiting, running and settling. */
  readonly held: number;
  readonly running: number;
  /** True while receives fail. */
  readonly failing: boolean;
  /** How long receives have been in progress without any of them returning. */
  readonly silentSeconds: number;
}

/** `paused`: receives no more messages, but still handles those it holds. */
export type ConsumerState = 'running' | 'paused' | 'draining';

/** The drain's reason: no message arrived for `idleExit` seconds. */
const IDLE = new Error('No message arrived for idle_exit seconds.');

export class Consumer {
  readonly settings: ConsumerSettings;
  readonly deadLetterQueue: Queue | undefined;
  readonly #queues: readonly ConsumedQueue[];
  readonly #host: Host;
  readonly #observer: ConsumerObserver;
  readonly #scheduler: Scheduler<ConsumedQueue>;
  readonly #runOptions: RunOptions;
  readonly #sharesMessageLimit: boolean;
  /** Aborts when the drain starts, with its reason. All parts watch this one signal. */
  readonly #drain = new AbortController();
  #paused = false;
  #finished = 0;
  /** When the last message arrived or finished. */
  #activeAt = 0;
  #idleTimer: Timer | undefined;

  /** Opens the queues of the settings. Throws QueueNotFoundError, BrokerError. */
  static async open(host: Host, settings: ConsumerSettings, parts: ConsumerParts): Promise<Consumer> {
    const { queuePrefix: prefix, deadLetterQueue } = settings;
    const { suffix } = parts;
    const queues = await Promise.all(
      settings.queue.map(async ({ name, weight }) => ({
        queue: await host.broker.open(fullName(name, { prefix, suffix })),
        weight,
      })),
    );
    const opened = deadLetterQueue && (await host.broker.open(fullName(deadLetterQueue, { prefix })));
    return new Consumer(host, settings, parts, queues, opened || undefined);
  }

  private constructor(
    host: Host,
    settings: ConsumerSettings,
    parts: ConsumerParts,
    queues: readonly WeightedQueue[],
    deadLetterQueue: Queue | undefined,
  ) {
    const {
      worker,
      observers = [],
      logOf = () => silentLog,
      crashRecord,
      sharesMessageLimit = false,
    } = parts;
    const draining = this.#drain.signal;
    // Every queue adds a few listeners.
    setMaxListeners(0, draining);
    this.settings = settings;
    this.#sharesMessageLimit = sharesMessageLimit;
    this.deadLetterQueue = deadLetterQueue;
    this.#host = host;
    this.#observer = harmless(observers);
    const { messageLimit = Number.POSITIVE_INFINITY } = settings;
    const allowed = sharesMessageLimit ? 0 : messageLimit;
    this.#scheduler = new Scheduler({ settings, allowed, machine: host, draining });
    const shared = { settings, crashRecord, observer: this.#observer, machine: host };
    const stop = (reason?: Error) => this.stop(reason);
    this.#queues = queues.map((queue) => {
      const consumed = new ConsumedQueue({
        ...{ ...shared, ...queue, deadLetterQueue, draining, stop },
        wanted: (asking, asked) => this.#scheduler.wanted(asking, asked),
        onReceived: () => {
          this.#activeAt = host.now();
          this.#scheduler.fill();
        },
      });
      this.#scheduler.add(consumed);
      return consumed;
    });
    const backoff = parts.backoff ?? backoffOf(settings, host.random);
    this.#runOptions = { ...shared, worker, backoff, logOf, stop };
  }

  /** The queues that it consumes. */
  get queues(): readonly WeightedQueue[] {
    return this.#queues;
  }

  /**
   * Handles messages until `stop`, the message limit or the idle time, then drains.
   * Rejects with PollingStoppedError, after the drain, if polling stopped on its own.
   */
  async run(): Promise<DrainReport> {
    const { settings } = this;
    const queues = this.#queues;
    const draining = this.#drain.signal;
    this.#activeAt = this.#host.now();
    this.#watchIdle();
    const receivers = Promise.all(queues.map(({ receiver }) => receiver.run()));
    const slots = Promise.all(Array.from({ length: settings.concurrency }, () => this.#work()));
    await untilAborted(draining);
    this.#host.clearTimeout(this.#idleTimer);
    const scheduler = this.#scheduler;
    const report = await drain({
      ...{ queues, scheduler, receivers, slots, settings, options: this.#runOptions },
    });
    if (draining.reason instanceof PollingStoppedError) throw draining.reason;
    return report;
  }

  /** One slot: runs message after message until the drain. It never waits for the broker; the settler does that. */
  async #work(): Promise<void> {
    for (let turn = await this.#scheduler.next(); turn; turn = await this.#scheduler.next()) {
      const { queue, held } = turn;
      const outcome = await runWorker(held, queue, this.#runOptions);
      if (outcome) {
        queue.settle(held, outcome);
        this.#countFinished();
      }
      // Keeps the slot, not the message.
      if (held.startedAt !== undefined) await afterMessage(held, this.#runOptions);
      this.#free(turn, outcome !== undefined);
    }
  }

  /** Starts the drain; `run` resolves when it is over. Calling it again has no effect. */
  stop(reason?: Error): void {
    this.#drain.abort(reason);
  }

  /** Stops receiving until `resume`; messages already held are still handled. No effect during the drain. */
  pause(): void {
    if (this.state !== 'running') return;
    this.#paused = true;
    for (const { receiver } of this.#queues) receiver.pause();
  }

  /** Starts receiving again after `pause`. */
  resume(): void {
    if (this.state !== 'paused') return;
    this.#paused = false;
    this.#activeAt = this.#host.now();
    for (const { receiver } of this.#queues) receiver.resume();
  }

  get state(): ConsumerState {
    if (this.#drain.signal.aborted) return 'draining';
    return this.#paused ? 'paused' : 'running';
  }

  /** Polls immediately if polling is paused after a failure or because a queue is empty. */
  wake(): void {
    for (const { receiver } of this.#queues) receiver.wake();
  }

  /** Raises a shared message limit by this many. */
  allow(messages: number): void {
    this.#scheduler.allow(messages);
  }

  /** True once it is draining, or has drained, because no message arrived for `idleExit` seconds. */
  get idle(): boolean {
    return this.#drain.signal.reason === IDLE;
  }

  /** How many messages are held: waiting, running and settling, including those whose slot is not free yet. */
  get held(): number {
    return countHeld(this.#queues, this.#scheduler);
  }

  /** For each queue: how many messages are held now, and how its receives are doing. */
  get loads(): QueueLoad[] {
    return this.#queues.map((consumed) => ({
      name: consumed.queue.name,
      held: consumed.leases.size,
      running: this.#scheduler.runningOf(consumed),
      failing: consumed.receiver.failing,
      silentSeconds: consumed.receiver.silentSeconds,
    }));
  }

  #countFinished(): void {
    this.#activeAt = this.#host.now();
    this.#finished += 1;
    if (this.#finished === this.settings.messageLimit && !this.#sharesMessageLimit) this.stop();
  }

  #free(turn: Turn<ConsumedQueue>, wasRun: boolean): void {
    this.#scheduler.free(turn, wasRun);
    this.#observer.slotFreed?.(turn.held);
  }

  /** Stops after `idleExit` seconds without a message. One timer that looks back, not one that every message resets. */
  #watchIdle(afterMs = (this.settings.idleExit ?? 0) * 1000): void {
    const { idleExit } = this.settings;
    if (idleExit === undefined) return;
    this.#idleTimer = this.#host.setTimeout(() => {
      const now = this.#host.now();
      if (this.#isBusy) this.#activeAt = now;
      const leftMs = this.#activeAt + idleExit * 1000 - now;
      if (leftMs <= 0) this.stop(IDLE);
      else this.#watchIdle(leftMs);
    }, afterMs);
  }

  /** True while there is work, or while no messages can arrive: paused, or receives fail. */
  get #isBusy(): boolean {
    return this.held > 0 || this.#paused || this.#queues.some(({ receiver }) => receiver.failing);
  }
}
