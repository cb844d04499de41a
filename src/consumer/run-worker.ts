/**
 * One run of the worker on a message, as a pipeline from "may it run" to one outcome:
 * 1. the message is still this process's, and with `delete_on_start` it is deleted first;
 * 2. it has not ended the process too often;
 * 3. it is marked, in case it ends the process now;
 * 4. the time limit starts;
 * 5. the worker runs, in the context of the message;
 * 6. what it returned or threw becomes an outcome, and the observer has each failure before that.
 */
import type { ContainerSettings } from '../config/config.ts';
import type { Machine } from '../host/host.ts';
import type { Backoff } from '../worker/backoff.ts';
import { type MessageContext, type MessageLog, withCurrentMessage } from '../worker/current-message.ts';
import { buried, handled, type Outcome, outcomeOf, released } from '../worker/outcome.ts';
import type { Worker } from '../worker/worker.ts';
import { DrainTimeoutError, HandlerTimeoutError, type HeldMessage } from './held-message.ts';
import type { Leases } from './leases.ts';
import type { ConsumerObserver } from './observer.ts';

/**
 * What is written down so that a message that ends the process is recognized when it comes again. The receive count
 * cannot tell: messages that were retried, or received by other hosts, have a high one, too.
 *
 * None of the methods throws: a record that cannot be kept is no reason to stop handling messages.
 */
export interface CrashRecord {
  /** How many processes ended while they ran this message. 0 for nearly all. */
  crashes(queue: string, messageId: string): number;
  /** Its worker starts. */
  started(queue: string, messageId: string): void;
  /** Its worker has ended, whatever the outcome. */
  ended(queue: string, messageId: string): void;
  /** Handled or buried: it is no longer a suspect. */
  forget(queue: string, messageId: string): void;
}

/** The error of a message that is not run any more, because it ended the process too often. */
export class CrashLimitError extends Error {
  override readonly name = 'CrashLimitError';

  constructor(crashes: number) {
    super(`The process ended ${crashes} times while it ran this message: it is not run again.`);
  }
}

/** What a run needs of the message's queue. */
export interface RunnableQueue {
  readonly leases: Pick<Leases, 'owns' | 'lose' | 'extend'>;
  /** Makes sure that the message is this process's or, with `delete_on_start`, nobody's; false if it must not be run. */
  claim(held: HeldMessage): boolean | Promise<boolean>;
}

/** What all runs have in common: the worker, its limits, and what its errors mean. */
export interface RunOptions {
  readonly worker: Worker;
  readonly settings: Pick<ContainerSettings, 'handlerTimeout' | 'crashLimit' | 'onError' | 'deadLetterQueue'>;
  /** When messages come back that are retried. */
  readonly backoff: Backoff;
  /** Which messages ended earlier processes; undefined: not known. */
  readonly crashRecord: CrashRecord | undefined;
  /** The log that a worker gets for a message. */
  readonly logOf: (held: HeldMessage) => MessageLog;
  readonly observer: ConsumerObserver;
  readonly machine: Machine;
  /** Begins the drain: a worker goes on after its time is over, and only a new process helps. */
  readonly stop: () => void;
}

/**
 * Runs the worker on a message whose turn has come. Undefined if there is no outcome: the message must not be run here,
 * or the drain has given up on its worker. Does not reject.
 */
export async function runWorker(
  held: HeldMessage,
  queue: RunnableQueue,
  options: RunOptions,
): Promise<Outcome | undefined> {
  const claimed = queue.claim(held);
  // No waiting where none is needed: the lease could end in between, before the message is started.
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
 * What follows the run of a worker, whatever its outcome. It keeps the slot, not the message; only the crash mark of the
 * message stands until it has ended. Does not reject.
 */
export async function afterMessage(
  held: HeldMessage,
  { worker, crashRecord, observer }: RunOptions,
): Promise<void> {
  try {
    await worker.afterMessage?.();
  } catch (error) {
    observer.afterMessageFailed?.(held, error);
  }
  crashRecord?.ended(held.queue.name, held.message.id);
  if (held.crashes > 0) crashRecord?.forget(held.queue.name, held.message.id);
}

/** The outcome of a message whose worker has not ended, in a process that does. */
export function unfinished(held: HeldMessage, queue: RunnableQueue, options: RunOptions): Outcome {
  const { abortReason } = held;
  if (abortReason instanceof HandlerTimeoutError)
    return failed(held, queue, options, abortReason) ?? released;
  // It is the process that ends here, for reasons of its own.
  options.crashRecord?.ended(held.queue.name, held.message.id);
  return released;
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
  if (held.workerKnowsOfLoss) leases.lose(held, 'its worker was told and may have stopped half way');
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
  // Another process may be at it: what this failure means is for that one to say.
  if (!leases.owns(held)) return told(held, options, error, { action: 'retry' });
  // A worker that stopped because it was told to has not failed: its message is for another process.
  const interrupted = held.abortReason instanceof DrainTimeoutError;
  const meant = error instanceof HandlerTimeoutError ? timedOut(held, leases, options, error) : error;
  const policy = { onError: options.settings.onError, backoff: options.backoff };
  const outcome = interrupted ? released : outcomeOf(meant, policy, held.message.receiveCount);
  return told(held, options, meant, outcome);
}

/** What the worker says that its timeout means; if it throws instead, that error counts. */
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

/** The outcome of a failure, once the observer has it; without that the message must come back. */
function told(held: HeldMessage, options: RunOptions, error: unknown, outcome: Outcome): Outcome {
  try {
    options.observer.failed?.(held, error, outcome, timeSinceStart(held, options));
    return outcome;
  } catch {
    return { action: 'retry' };
  }
}

/** True if the worker ended after all, when the drain had given up on it. */
function hasOutcome({ state }: HeldMessage): boolean {
  return state !== 'running';
}

/** Milliseconds; 0 for a message that was not started. */
function timeSinceStart({ startedAt }: HeldMessage, { machine }: RunOptions): number {
  return startedAt === undefined ? 0 : machine.now() - startedAt;
}

/** How long a worker may take to end once its signal has aborted, in seconds. */
const PATIENCE_SECONDS = 10;

interface TimeLimit {
  /** The error of a worker whose time is over. */
  readonly error: HandlerTimeoutError | undefined;
  /** The worker has ended. */
  end(): void;
}

/**
 * Starts the clock for the worker (`handler_timeout`): when it runs out the signal aborts, and the run has failed
 * whatever the worker does then. The message and its slot stay taken until the worker ends, so that no second copy runs
 * beside it; one that does not end even then is stuck, and the container drains.
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

/** What `currentMessage()` shows of a message. Getters: most workers never ask. */
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
