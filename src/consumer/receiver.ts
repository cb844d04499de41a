/**
 * Asks the broker for messages: one long poll while there is nothing to do, as many requests at once as the slots
 * need while there is, and only for what can start soon.
 *
 * A failure is followed by a pause that grows, and polling goes on by itself. It can never stop silently: a receive
 * that neither answers nor fails is noticed by the watchdog, and ends the run with PollingStoppedError.
 */
import type { Message, Queue } from '../brokers/broker.ts';
import type { ContainerSettings } from '../config/config.ts';
import { type Machine, resolvesWithin, type Timer, untilAborted } from '../host/host.ts';
import type { ConsumerObserver } from './observer.ts';
import { nextIdlePause, retryPause } from './pauses.ts';
import type { Timings } from './timings.ts';

/** Polling came to a halt without an error: a defect that must not pass for an empty queue. */
export class PollingStoppedError extends Error {
  override readonly name = 'PollingStoppedError';
}

export interface ReceiverOptions {
  readonly queue: Queue;
  readonly settings: Pick<ContainerSettings, 'poll' | 'idlePause'>;
  /** How long received messages stay invisible, in seconds. */
  readonly visibilityTimeout: number;
  /** Is told how long receives take. */
  readonly timings: Timings;
  readonly observer: ConsumerObserver;
  readonly machine: Machine;
  /** Once it aborts, it asks for nothing more. */
  readonly draining: AbortSignal;
  /** How many messages to ask for now, given how many are asked for already. */
  readonly wanted: (asked: number) => number;
  /** Takes what was received. `leaseStartedAt` is in milliseconds of the machine's `now()`. */
  readonly deliver: (messages: Message[], leaseStartedAt: number) => void;
  /** Begins the drain, with its reason. */
  readonly stop: (reason: Error) => void;
}

/** More requests at once gain nothing that one process could use. */
const MOST_REQUESTS = 16;
/** How long requests under way may still answer once the receiver stops, in milliseconds. */
const LAST_ANSWER_MS = 2_000;
/** How much longer than its wait a receive may take before the watchdog speaks, in milliseconds. */
const WATCHDOG_MARGIN_MS = 60_000;
/** A first answer that takes longer than this is one that waits for messages, in milliseconds. */
const FIRST_ANSWER_MS = 1_000;

export class Receiver {
  readonly #options: ReceiverOptions;
  /** Aborts the receives under way: at the end, and when polling pauses. */
  #receives = new AbortController();
  readonly #requests = new Set<Promise<void>>();
  #asked = 0;
  #longPolls = 0;
  /** How many requests may be under way: grows while messages come back, falls to one when none do. */
  #allowed = 1;
  /** The last pause because the queue was empty, in milliseconds; 0 once there were messages. */
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

  /** Polls until the drain begins; resolves when the last answers are in. */
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

  /** Asks for more if more is wanted. Call it whenever that may have changed. */
  receiveMore(): void {
    while (this.#asks && this.#pause === undefined && this.#requests.size < this.#allowed) {
      // Nothing wanted until now is no halt.
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

  /** True right after the start, while nothing is known of the queue. */
  get isNew(): boolean {
    return !this.#answered && this.#now - this.#startedAt < FIRST_ANSWER_MS;
  }

  /** True while receives fail. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** For how many seconds receives have been under way and none of them has ended; 0 while none is. */
  get silentSeconds(): number {
    return this.#requests.size === 0 ? 0 : (this.#now - this.#progressAt) / 1000;
  }

  /**
   * Asks for nothing more until `resume`. What a receive under way still brings is delivered; where that is safe, it
   * ends at once.
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

  /** Ends a pause early, after a failure or because the queue is empty. */
  wake(): void {
    this.#options.machine.clearTimeout(this.#pause);
    this.#pause = undefined;
    this.receiveMore();
  }

  /**
   * Resolves when the requests under way have ended. Where a server may hand messages to a poll whose client has gone
   * (nobody sees those for a visibility timeout), they are given two seconds to answer first.
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
    // Only one waits for messages to come: the others are there to carry more, and end when there is no more.
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
      // The others end when there is nothing more at once, which is not to say that nothing comes.
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
    // Requests under way together fail together, and count once.
    if (this.#pause !== undefined) return;
    this.#failures += 1;
    if (this.#failures === 1) this.#failingSince = this.#now;
    this.#allowed = 1;
    const pauseMs = retryPause(this.#failures, this.#options.machine.random);
    this.#pauseFor(pauseMs);
    this.#options.observer.receiveFailed?.(this.#options.queue, error, this.#failures, pauseMs);
  }

  /** An empty queue is asked less and less often, where that is wanted. */
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
    // After a suspension (SIGSTOP, a sleeping machine) the answers that have come meanwhile are still to be read.
    const wasSuspended = now - this.#watchedAt > WATCHDOG_MARGIN_MS;
    this.#watchedAt = now;
    if (wasSuspended || this.#requests.size === 0) this.#progressAt = now;
    this.receiveMore();
    const silentMs = now - this.#progressAt;
    const { queue, settings, stop } = this.#options;
    if (silentMs <= settings.poll * 1000 + WATCHDOG_MARGIN_MS) return;
    stop(
      new PollingStoppedError(
        `No receive from the queue "${queue.name}" has ended for ${Math.round(silentMs / 1000)} s, though messages are wanted.`,
      ),
    );
  }

  get #now(): number {
    return this.#options.machine.now();
  }
}
