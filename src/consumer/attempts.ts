/**
 * An attempt at a message, from its start to the outcome: the crash record, the time limit, the worker, and what its
 * error means. The observer has each failure before the outcome follows from it.
 */
import { withCurrentMessage } from '../worker/current-message.ts';
import { buried, handled, type Outcome, type OutcomePolicy, outcomeOf, released } from '../worker/outcome.ts';
import type { Worker } from '../worker/worker.ts';
import { CrashLimitError, type CrashRecord } from './crash-record.ts';
import type { Delivery } from './delivery.ts';
import { DrainTimeoutError } from './drain.ts';
import type { ConsumerObserver } from './observer.ts';
import { HandlerTimeoutError, limitTime } from './time-limit.ts';

export interface AttemptsOptions extends OutcomePolicy {
  /** How long a worker may take, in seconds. */
  readonly handlerTimeout?: number;
  /** Which messages ended earlier processes; one that did so `crashLimit` times is not run again (0: it is). */
  readonly crashRecord?: CrashRecord;
  readonly crashLimit?: number;
  /** Whether there is a dead-letter queue. */
  readonly canBury: boolean;
  readonly observer: ConsumerObserver;
  /** Called when a worker goes on after its time is over: only a new process helps. */
  readonly onStuck: () => void;
}

export class Attempts {
  readonly #worker: Worker;
  readonly #options: AttemptsOptions;

  constructor(worker: Worker, options: AttemptsOptions) {
    this.#worker = worker;
    this.#options = options;
  }

  /** Runs the worker on a message, unless that would most likely end the process once more. Does not reject. */
  async run(delivery: Delivery): Promise<Outcome> {
    delivery.startedAt = performance.now();
    const { crashRecord, crashLimit = 0 } = this.#options;
    if (!crashRecord) return this.#run(delivery);
    const { queue, message, crashes } = delivery;
    if (crashLimit > 0 && crashes >= crashLimit) return this.#giveUp(delivery, crashRecord);
    crashRecord.started(queue.name, message.id);
    const outcome = await this.#run(delivery);
    crashRecord.ended(queue.name, message.id);
    if (crashes > 0) crashRecord.forget(queue.name, message.id);
    return outcome;
  }

  /** The outcome of a message whose worker has not ended, in a process that does. */
  unfinished(delivery: Delivery): Outcome {
    const { abortReason, queue, message } = delivery;
    if (abortReason instanceof HandlerTimeoutError) return this.#failed(delivery, abortReason);
    // It is the process that ends here, for reasons of its own.
    this.#options.crashRecord?.ended(queue.name, message.id);
    return released;
  }

  #giveUp(delivery: Delivery, crashRecord: CrashRecord): Outcome {
    const { queue, message, crashes } = delivery;
    const outcome = this.#told(
      delivery,
      new CrashLimitError(crashes),
      this.#options.canBury && !delivery.deleted ? buried : handled,
    );
    if (outcome.action !== 'retry') crashRecord.forget(queue.name, message.id);
    return outcome;
  }

  async #run(delivery: Delivery): Promise<Outcome> {
    const { handlerTimeout, observer, onStuck } = this.#options;
    const limit =
      handlerTimeout === undefined
        ? undefined
        : limitTime(delivery, handlerTimeout, (seconds) => {
            observer.stuck?.(delivery, seconds);
            onStuck();
          });
    let outcome = handled;
    try {
      const running = withCurrentMessage(delivery, () => this.#worker.handleMessage(delivery.message));
      if (running !== undefined) await running;
      if (limit?.error) throw limit.error;
      if (delivery.workerKnowsOfLoss) {
        delivery.source.leases.lose(delivery, 'its worker was told and may have stopped half way');
      }
      observer.handled?.(delivery, performance.now() - delivery.startedAt);
    } catch (error) {
      outcome = this.#failed(delivery, limit?.error ?? error);
    }
    limit?.end();
    try {
      await this.#worker.afterMessage?.();
    } catch (error) {
      observer.afterMessageFailed?.(delivery, error);
    }
    return hasOutcome(delivery) ? released : outcome;
  }

  #failed(delivery: Delivery, error: unknown): Outcome {
    if (hasOutcome(delivery)) return released;
    if (delivery.deleted) return this.#told(delivery, error, handled);
    // Another process may be at it: what this failure means is for that one to say.
    if (!delivery.source.leases.owns(delivery)) return this.#told(delivery, error, { action: 'retry' });
    // A worker that stopped because it was told to has not failed: its message is for another process.
    const interrupted = delivery.abortReason instanceof DrainTimeoutError;
    const meant = error instanceof HandlerTimeoutError ? this.#timedOut(delivery, error) : error;
    const outcome = interrupted ? released : outcomeOf(meant, this.#options, delivery.message.receiveCount);
    return this.#told(delivery, meant, outcome);
  }

  #timedOut(delivery: Delivery, error: HandlerTimeoutError): unknown {
    const worker = this.#worker;
    return withCurrentMessage(delivery, () => worker.onTimeout?.(error, delivery.message)) ?? error;
  }

  /** The outcome of a failure, once the observer has it; without that the message must come back. */
  #told(delivery: Delivery, error: unknown, outcome: Outcome): Outcome {
    try {
      this.#options.observer.failed?.(delivery, error, outcome, performance.now() - delivery.startedAt);
      return outcome;
    } catch {
      return { action: 'retry' };
    }
  }
}

/** True if the worker ended after all, when the drain had given up on it. */
function hasOutcome({ phase }: Delivery): boolean {
  return phase !== 'running';
}
