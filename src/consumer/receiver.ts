/**
 * Receives messages from the broker: one long poll while the queue is empty, and as many concurrent requests as the
 * slots need while it is not. Requests only messages that can start soon.
 *
 * After a failure it waits, longer each time, and continues by itself. Polling cannot stop silently: if a receive
 * neither returns nor fails, the watchdog notices, and the run ends with PollingStoppedError.
 */
import type { Message, Queue } from '../brokers/broker.ts';
import type { ContainerSettings } from '../config/config.ts';
import { type Machine, resolvesWithin, type Timer, untilAborted } from '../host/host.ts';
import type { ConsumerObserver } from './observer.ts';
import { nextIdlePause, RECEIVE_MARGIN_SECONDS, retryPause } from './pauses.ts';
import type { Timings } from './timings.ts';

/** Polling stopped without an error: a defect that must not look like an empty queue. */
export class PollingStoppedError extends Error {
  override readonly name = 'PollingStoppedError';
}

export interface ReceiverOptions {
  readonly queue: Queue;
  readonly settings: Pick<ContainerSettings, 'poll' | 'idlePause'>;
  /** How long received messages stay invisible, in seconds. */
  readonly visibilityTimeout: number;
  /** Records how long receives take. */
  readonly timings: Timings;
  readonly observer: ConsumerObserver;
  readonly machine: Machine;
  /** Once this aborts, the receiver stops requesting messages. */
  readonly draining: AbortSignal;
  /** How many messages to request now, given how many are already requested. */
  readonly wanted: (asked: number) => number;
  /** Gets the received messages. `leaseStartedAt` is in milliseconds of the machine's `now()`. */
  readonly deliver: (messages: Message[], leaseStartedAt: number) => void;
  /** Starts the drain, with a reason. */
  readonly stop: (reason: Error) => void;
}

/** More concurrent requests than this do not help a single process. */
const MOST_REQUESTS = 16;
/** How long to wait for requests in progress once the receiver stops, in milliseconds. */
const LAST_ANSWER_MS = 2_000;
const WATCHDOG_MARGIN_MS = RECEIVE_MARGIN_SECONDS * 1000;
/** If the first response takes longer than this, the queue is empty and the poll is waiting, in milliseconds. */
const FIRST_ANSWER_MS = 1_000;

export class Receiver {
  readonly #options: ReceiverOptions;
  /** Aborts the receives in progress: at the end, and when polling is paused. */
  #receives = new AbortController();
  readonly #requests = new Set<Promise<void>>();
  #asked = 0;
  #longPolls = 0;
  /** How many requests may run at once: grows while they return messages, drops to one when they return none. */
  #allowed = 1;
  /** The last pause for an empty queue, in milliseconds; 0 after a receive with messages. */
  #idlePauseMs = 0;
  #failures = 0;
  #failingSince = 0;
  #pause: Timer | undefined;
  #paused = false;
  #answered = false;
  #startedAt = 0;
  #progressAt: number;
  #watchedAt: number;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#progressAt = this.#watchedAt = options.machine.now();
  }

  /** Polls until the drain starts; resolves when the last responses are in. */
  async run(): Promise<void> {
    const { machine, draining } = this.#options;
    this.#startedAt = machine.now();
    const watchdog = machine.setInterval(() => this.#watch(), WATCHDOG_MARGIN_MS / 2);
    this.receiveMore();
    await untilAborted(draining);
    machine.clearInterval(watchdog);
    machine.clearTimeout(this.#pause);
    await this.#lastAnswers();
  }

  /** Requests more messages if more are wanted. Call it whenever that may have changed. */
  receiveMore(): void {
    while (this.#asks && this.#pause === undefined && this.#requests.size < this.#allowed) {
      // Time during which no messages were wanted does not count as a halt.
      if (this.#requests.size === 0) this.#progressAt = this.#now;
      const max = this.#options.wanted(this.#asked);
      if (max === 0) return;
      const request = this.#request(max).finally(() => {
        this.#requests.delete(request);
        this.receiveMore();
      });
      this.#requests.add(request);
    }
  }

  /** True right after the start, while nothing is known about the queue. */
  get isNew(): boolean {
    return !this.#answered && this.#now - this.#startedAt < FIRST_ANSWER_MS;
  }

  /** True while receives fail. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** How many seconds receives have been in progress without any returning; 0 if none is in progress. */
  get silentSeconds(): number {
    return this.#requests.size === 0 ? 0 : (this.#now - this.#progressAt) / 1000;
  }

  /**
   * Stops requesting messages until `resume`. Receives in progress are aborted where that is safe; otherwise the
   * messages that they return are delivered.
   */
  pause(): void {
    this.#paused = true;
    if (this.#options.queue.abortsReceives) this.#receives.abort();
  }

  resume(): void {
    if (this.#options.draining.aborted || !this.#paused) return;
    this.#paused = false;
    if (this.#receives.signal.aborted) this.#receives = new AbortController();
    this.receiveMore();
  }

  get #asks(): boolean {
    return !this.#options.draining.aborted && !this.#paused;
  }

  /** Ends a pause (after a failure, or for an empty queue) early. */
  wake(): void {
    this.#options.machine.clearTimeout(this.#pause);
    this.#pause = undefined;
    this.receiveMore();
  }

  /**
   * Resolves when the requests in progress have ended. Some servers deliver messages to a poll whose client has
   * disconnected, which hides them for a visibility timeout: there, we first wait two seconds for the responses.
   */
  async #lastAnswers(): Promise<void> {
    const { queue, machine } = this.#options;
    const ended = Promise.all(this.#requests);
    if (!queue.abortsReceives) await resolvesWithin(machine, ended, LAST_ANSWER_MS);
    this.#receives.abort();
    await resolvesWithin(machine, ended, LAST_ANSWER_MS);
  }

  async #request(max: number): Promise<void> {
    const { queue, settings, visibilityTimeout, observer, deliver, draining } = this.#options;
    const { signal } = this.#receives;
    // Only one request waits for messages. The others add throughput, and end when the queue is empty.
    const waitSeconds = this.#longPolls === 0 ? settings.poll : 0;
    if (waitSeconds > 0) this.#longPolls += 1;
    this.#asked += max;
    const sentAt = this.#now;
    try {
      const messages = await queue.receive({
        max,
        waitSeconds,
        visibilityTimeout,
        signal,
      });
      this.#asked -= max;
      this.#succeeded(messages.length, max, this.#now - sentAt);
      // The other requests return as soon as the queue is empty, which says nothing about the next seconds.
      if (messages.length === 0 && waitSeconds === settings.poll && !signal.aborted) this.#pauseWhileIdle();
      observer.received?.(queue, messages, this.#now - sentAt);
      if (messages.length > 0) deliver(messages, this.#now);
    } catch (error) {
      this.#asked -= max;
      if (!draining.aborted && !signal.aborted) this.#failed(error as Error);
    } finally {
      if (waitSeconds > 0) this.#longPolls -= 1;
    }
  }

  #succeeded(count: number, max: number, milliseconds: number): void {
    this.#answered = true;
    this.#progressAt = this.#now;
    if (this.#failures > 0) {
      this.#failures = 0;
      this.#options.observer.receiveRecovered?.(this.#options.queue, (this.#now - this.#failingSince) / 1000);
    }
    if (count === 0) {
      this.#allowed = 1;
      return;
    }
    this.#idlePauseMs = 0;
    if (count >= max / 2) this.#allowed = Math.min(this.#allowed + 1, MOST_REQUESTS);
    this.#options.timings.received(milliseconds);
  }

  #failed(error: Error): void {
    this.#progressAt = this.#now;
    // Concurrent requests fail together and count once.
    if (this.#pause !== undefined) return;
    this.#failures += 1;
    if (this.#failures === 1) this.#failingSince = this.#now;
    this.#allowed = 1;
    const pauseMs = retryPause(this.#failures, this.#options.machine.random);
    this.#pauseFor(pauseMs);
    this.#options.observer.receiveFailed?.(this.#options.queue, error, this.#failures, pauseMs);
  }

  /** With `idlePause`, polls an empty queue less and less often. */
  #pauseWhileIdle(): void {
    const { settings, draining } = this.#options;
    const { idlePause } = settings;
    if (idlePause === 0 || this.#pause !== undefined || draining.aborted) return;
    this.#idlePauseMs = nextIdlePause(this.#idlePauseMs, idlePause * 1000);
    this.#pauseFor(this.#idlePauseMs);
  }

  #pauseFor(milliseconds: number): void {
    this.#pause = this.#options.machine.setTimeout(() => this.wake(), milliseconds);
  }

  #watch(): void {
    const now = this.#now;
    // After a suspension (SIGSTOP, a sleeping machine), responses that arrived in the meantime have yet to be read.
    const wasSuspended = now - this.#watchedAt > WATCHDOG_MARGIN_MS;
    this.#watchedAt = now;
    if (wasSuspended || this.#requests.size === 0) this.#progressAt = now;
    this.receiveMore();
    const silentMs = now - this.#progressAt;
    const { queue, settings, stop } = this.#options;
    if (silentMs <= settings.poll * 1000 + WATCHDOG_MARGIN_MS) return;
    stop(
      new PollingStoppedError(
        `No receive from queue "${queue.name}" has returned for ${Math.round(silentMs / 1000)} s; polling has stopped.`,
      ),
    );
  }

  get #now(): number {
    return this.#options.machine.now();
  }
}
