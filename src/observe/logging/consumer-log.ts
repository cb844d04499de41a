/** Logs the run loop's events as lines for people. Bodies of failed messages go to the messages log. */
import type { Message, Queue } from '../../brokers/broker.ts';
import { DrainTimeoutError, type HeldMessage } from '../../consumer/held-message.ts';
import type { ConsumerObserver } from '../../consumer/observer.ts';
import type { MessageLog } from '../../worker/current-message.ts';
import { isFailedAttempt, isTransientError } from '../../worker/errors.ts';
import type { Outcome } from '../../worker/outcome.ts';
import type { LogRecord } from './formats.ts';
import type { Logger, Loggers } from './loggers.ts';

/** Of failures in a row, the first and every tenth are logged. */
const EVERY = 10;
/** Failures of background requests are logged at most once in this time, in milliseconds. */
const QUIET_MS = 10_000;

export class ConsumerLog implements ConsumerObserver {
  readonly #loggers: Loggers;
  readonly #log: Logger;
  #lastBackgroundFailure = Number.NEGATIVE_INFINITY;

  constructor(loggers: Loggers, logger: Logger) {
    this.#loggers = loggers;
    this.#log = logger;
  }

  /** The log for a worker: its lines include the message ID. */
  logOf(held: HeldMessage): MessageLog {
    const log = this.#log;
    const fields = fieldsOf(held);
    return {
      error: (message, error) => log.error(message, error, fields),
      warn: (message, error) => log.warn(message, error, fields),
      info: (message, error) => log.info(message, error, fields),
      debug: (message, error) => log.debug(message, error, fields),
    };
  }

  receiveFailed({ name }: Queue, error: Error, failures: number, pauseMs: number): void {
    if (failures !== 1 && failures % EVERY !== 0) return;
    this.#log.error(
      `Receiving from queue "${name}" failed (attempt ${failures}); retrying in ${(pauseMs / 1000).toFixed(1)} s: ${error.message}`,
    );
  }

  receiveRecovered({ name }: Queue, seconds: number): void {
    this.#log.info(`Receiving from queue "${name}" works again after ${seconds.toFixed(1)} s`);
  }

  /** Throws if a message will be deleted, but its body could not be written to the messages log. */
  failed(held: HeldMessage, error: unknown, outcome: Outcome): void {
    const { message, abortReason } = held;
    const fields = fieldsOf(held);
    const next = `Message ${message.id} ${whatFollows(outcome)}`;
    const interrupted = abortReason instanceof DrainTimeoutError;
    // A message that was deleted before it was handled exists only as the body that is logged here.
    if (outcome.action !== 'delete' && (isTransientError(error) || interrupted)) {
      this.#log.info(`${next}: ${(error as Error).message}`, undefined, fields);
      return;
    }
    this.#log.error('Handling a message', isFailedAttempt(error) ? error.cause : error, fields);
    if (outcome.action === 'delete') this.#keep(message, fields);
    else this.#log.info(next, undefined, fields);
  }

  stuck({ message }: HeldMessage, seconds: number): void {
    this.#log.error(
      `The worker of message ${message.id} did not end within ${seconds} s after its signal aborted: draining, so that a new process can take over`,
    );
  }

  afterMessageFailed(_held: HeldMessage, error: unknown): void {
    this.#log.error('afterMessage failed', error);
  }

  settleFailed(error: Error, count: number): void {
    this.#backgroundFailure(`Settling ${count} messages failed; retrying: ${error.message}`);
  }

  extensionFailed(error: Error, count: number): void {
    this.#backgroundFailure(`Extending ${count} visibility timeouts failed; retrying: ${error.message}`);
  }

  leaseLost(held: HeldMessage, reason: string): void {
    this.#log.warn(
      `Lost the lease of message ${held.message.id}, which may run again: ${reason}`,
      undefined,
      fieldsOf(held),
    );
  }

  #keep({ id, body }: Message, fields: LogRecord['fields']): void {
    try {
      this.#loggers.keep(body);
    } catch (cause) {
      this.#log.error(
        `Message ${id} is not deleted, because writing it to the messages log failed`,
        cause,
        fields,
      );
      throw cause;
    }
  }

  #backgroundFailure(text: string): void {
    const now = performance.now();
    if (now - this.#lastBackgroundFailure < QUIET_MS) return;
    this.#lastBackgroundFailure = now;
    this.#log.warn(text);
  }
}

function fieldsOf({ message, queue }: HeldMessage): LogRecord['fields'] {
  return { queue: queue.name, messageId: message.id, receiveCount: message.receiveCount };
}

function whatFollows(outcome: Outcome): string {
  if (outcome.action === 'bury') return 'goes to the dead-letter queue';
  if (outcome.action === 'delete') return 'is deleted';
  if (outcome.delaySeconds === undefined) return 'is retried when its visibility timeout ends';
  return outcome.delaySeconds === 0 ? 'is returned to the queue' : `is retried in ${outcome.delaySeconds} s`;
}
