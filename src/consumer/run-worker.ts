/**
 * Runs the worker on one message, as a pipeline from "may it run" to one outcome:
 * 1. check that this process still owns the message; with `delete_on_start`, delete it first;
 * 2. check that it has not crashed the process too often;
 * 3. mark it, in case it crashes the process this time;
 * 4. start the time limit;
 * 5. run the worker, in the context of the message;
 * 6. turn the result or error into an outcome, after reporting a failure to the observer.
 */
import type { ContainerSettings } from '../config/config.ts';
import type { Machine } from '../host/host.ts';
import type { Backoff } from '../worker/backoff.ts';
import { type MessageContext, type MessageLog, withCurrentMessage } from '../worker/current-message.ts';
import { buried, handled, type Outcome, outcomeOf, returned } from '../worker/outcome.ts';
import type { Worker } from '../worker/worker.ts';
import { DrainTimeoutError, HandlerTimeoutError, type HeldMessage } from './held-message.ts';
import type { Leases } from './leases.ts';
import type { ConsumerObserver } from './observer.ts';

/**
 * The record that recognizes a message that crashed the process when it arrives again. The receive count cannot tell:
 * it is also high for messages that were retried or received by other hosts.
 *
 * The methods do not throw: if the record cannot be kept, messages are still handled.
 */
export interface CrashRecord {
  /** How many processes crashed while running this message. 0 for nearly all messages. */
  crashes(queue: string, messageId: string): number;
  /** Records that the worker is starting. */
  started(queue: string, messageId: string): void;
  /** Records that the worker has ended, whatever the outcome. */
  ended(queue: string, messageId: string): void;
  /** Forgets the crashes of a message that was handled or buried. */
  forget(queue: string, messageId: string): void;
}

/** The error of a message that will not run again, because it crashed the process too often. */
export class CrashLimitError extends Error {
  override readonly name = 'CrashLimitError';

  constructor(crashes: number) {
    super(`This message will not run again: the process crashed ${crashes} times while running it.`);
  }
}

/** What a run needs from the message's queue. */
export interface RunnableQueue {
  readonly leases: Pick<Leases, 'owns' | 'lose' | 'extend'>;
  /** Checks that this process owns the message; with `delete_on_start`, deletes it. False if it must not run. */
  claim(held: HeldMessage): boolean | Promise<boolean>;
}

/** What all runs have in common: the worker, its limits, and what its errors mean. */
export interface RunOptions {
  readonly worker: Worker;
  readonly settings: Pick<ContainerSettings, 'handlerTimeout' | 'crashLimit' | 'onError' | 'deadLetterQueue'>;
  /** How long a retried message waits. */
  readonly backoff: Backoff;
  /** The messages that crashed earlier processes; undefined: no record. */
  readonly crashRecord: CrashRecord | undefined;
  /** Makes the log that a worker gets for a message. */
  readonly logOf: (held: HeldMessage) => MessageLog;
  readonly observer: ConsumerObserver;
  readonly machine: Machine;
  /** Starts the drain when a worker ignores its time limit: only a new process helps then. */
  readonly stop: () => void;
}

/**
 * Runs the worker on a message that has a slot. Undefined if there is no outcome: the message must not run here, or the
 * drain has given up on its worker. Does not reject.
 */
export async function runWorker(
  held: HeldMessage,
  queue: RunnableQueue,
  options: RunOptions,
): Promise<Outcome | undefined> {
  const claimed = queue.claim(held);
  // Await only if necessary: the lease could end before the message starts.
  if (claimed !== true && !(await claimed)) return undefined;
  const { machine, crashRecord, worker } = options;
  if (hasReachedCrashLimit(held, options)) return giveUp(held, options);
  held.start(machine.now());
  crashRecord?.started(held.queue.name, held.message.id);
  const timeLimit = startTimeLimit(held, options);
  let outcome: Outcome | undefined;
  try {
    const context = new Context(held, queue, options);
    const running = withCurrentMessage(context, () => worker.handleMessage(held.message));
    if (running !== undefined) await running;
    if (timeLimit?.error) throw timeLimit.error;
    outcome = succeeded(held, queue, options);
  } catch (error) {
    outcome = failed(held, queue, options, timeLimit?.error ?? error);
  }
  timeLimit?.end();
  return outcome;
}

/**
 * Runs the worker's `afterMessage`, whatever the outcome. This keeps the slot but not the message, which is already
 * being settled; its crash mark stays until `afterMessage` ends. Does not reject.
 */
export async function afterMessage(
  held: HeldMessage,
  { worker, crashRecord, observer }: RunOptions,
): Promise<void> {
  try {
    if (worker.afterMessage) await worker.afterMessage();
  } catch (error) {
    observer.afterMessageFailed?.(held, error);
  }
  crashRecord?.ended(held.queue.name, held.message.id);
  if (held.crashes > 0) crashRecord?.forget(held.queue.name, held.message.id);
}

/** The outcome of a message whose worker is still running when the process exits. */
export function unfinished(held: HeldMessage, queue: RunnableQueue, options: RunOptions): Outcome {
  const { abortReason } = held;
  if (abortReason instanceof HandlerTimeoutError)
    return failed(held, queue, options, abortReason) ?? returned;
  // The process exits for other reasons: this is not a crash.
  options.crashRecord?.ended(held.queue.name, held.message.id);
  return returned;
}

function hasReachedCrashLimit({ crashes }: HeldMessage, { crashRecord, settings }: RunOptions): boolean {
  return crashRecord !== undefined && settings.crashLimit > 0 && crashes >= settings.crashLimit;
}

function giveUp(held: HeldMessage, options: RunOptions): Outcome {
  const canBury = options.settings.deadLetterQueue !== undefined && !held.deleted;
  const outcome = told(held, options, new CrashLimitError(held.crashes), canBury ? buried : handled);
  if (outcome.action !== 'retry') options.crashRecord?.forget(held.queue.name, held.message.id);
  return outcome;
}

function succeeded(held: HeldMessage, { leases }: RunnableQueue, options: RunOptions): Outcome | undefined {
  if (held.workerKnowsOfLoss) leases.lose(held, 'its worker was told to stop and may have stopped halfway');
  options.observer.handled?.(held, timeSinceStart(held, options));
  return hasOutcome(held) ? undefined : handled;
}

function failed(
  held: HeldMessage,
  { leases }: RunnableQueue,
  options: RunOptions,
  error: unknown,
): Outcome | undefined {
  if (hasOutcome(held)) return undefined;
  if (held.deleted) return told(held, options, error, handled);
  // Another process may be running it, and decides its outcome.
  if (!leases.owns(held)) return told(held, options, error, { action: 'retry' });
  // A worker that stopped because it was told to did not fail: return its message for another process.
  const interrupted = held.abortReason instanceof DrainTimeoutError;
  const meant = error instanceof HandlerTimeoutError ? timedOut(held, leases, options, error) : error;
  const policy = { onError: options.settings.onError, backoff: options.backoff };
  const outcome = interrupted ? returned : outcomeOf(meant, policy, held.message.receiveCount);
  return told(held, options, meant, outcome);
}

/** The error that the worker's `onTimeout` returns or throws for a timeout. Default: the timeout itself. */
function timedOut(
  held: HeldMessage,
  leases: RunnableQueue['leases'],
  options: RunOptions,
  error: HandlerTimeoutError,
): unknown {
  const context = new Context(held, { leases }, options);
  try {
    return withCurrentMessage(context, () => options.worker.onTimeout?.(error, held.message)) ?? error;
  } catch (thrown) {
    return thrown;
  }
}

/** Reports a failure to the observer and returns the outcome. If reporting fails, the message must be retried. */
function told(held: HeldMessage, options: RunOptions, error: unknown, outcome: Outcome): Outcome {
  try {
    options.observer.failed?.(held, error, outcome, timeSinceStart(held, options));
    return outcome;
  } catch {
    return { action: 'retry' };
  }
}

/** True if the drain had already given up on the worker when it ended. */
function hasOutcome({ state }: HeldMessage): boolean {
  return state !== 'running';
}

/** Milliseconds; 0 for a message that did not start. */
function timeSinceStart({ startedAt }: HeldMessage, { machine }: RunOptions): number {
  return startedAt === undefined ? 0 : machine.now() - startedAt;
}

/** How long a worker may take to end after its signal aborts, in seconds. */
const PATIENCE_SECONDS = 10;

interface TimeLimit {
  /** The timeout error, once the time is over. */
  readonly error: HandlerTimeoutError | undefined;
  /** Stops the clock: the worker has ended. */
  end(): void;
}

/**
 * Starts the clock for the worker (`handler_timeout`). When it runs out, the signal aborts and the run has failed,
 * whatever the worker does next. The message and its slot stay in use until the worker ends, so that a second copy does
 * not run at the same time. A worker that ignores the signal is stuck, and the container drains.
 */
function startTimeLimit(held: HeldMessage, options: RunOptions): TimeLimit | undefined {
  const { machine, settings, observer, stop } = options;
  const { handlerTimeout } = settings;
  if (handlerTimeout === undefined) return undefined;
  let error: HandlerTimeoutError | undefined;
  let timer = machine.setTimeout(() => {
    error = new HandlerTimeoutError(
      `The worker took longer than the handler timeout of ${handlerTimeout} s.`,
    );
    held.abort(error);
    timer = machine.setTimeout(() => {
      observer.stuck?.(held, PATIENCE_SECONDS);
      stop();
    }, PATIENCE_SECONDS * 1000);
  }, handlerTimeout * 1000);
  return {
    get error() {
      return error;
    },
    end: () => machine.clearTimeout(timer),
  };
}

/** What `currentMessage()` returns. Uses getters because most workers never ask. */
class Context implements MessageContext {
  readonly #held: HeldMessage;
  readonly #leases: RunnableQueue['leases'];
  readonly #options: RunOptions;

  constructor(held: HeldMessage, { leases }: Pick<RunnableQueue, 'leases'>, options: RunOptions) {
    this.#held = held;
    this.#leases = leases;
    this.#options = options;
  }

  get message() {
    return this.#held.message;
  }
  get queue() {
    return this.#held.queue;
  }
  get signal() {
    return this.#held.signal;
  }
  get log() {
    return this.#options.logOf(this.#held);
  }
  extend(seconds: number) {
    return this.#leases.extend(this.#held, seconds);
  }
}
