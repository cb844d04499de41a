/** What the run loop tells its observer, as log lines for people; bodies of failed messages go to the messages log. */
import type { Delivery } from '../consumer/delivery.ts';
import type { ConsumerObserver } from '../consumer/observer.ts';
import { isTransientError } from '../worker/errors.ts';
import type { Outcome } from '../worker/outcome.ts';
import type { Logger, Loggers } from './logging/loggers.ts';

/** Of failures in a row, the first and every so many are logged. */
const EVERY = 10;
/** Failures of background requests are logged once in so many milliseconds. */
const QUIET_MS = 10_000;

export class ConsumerLog implements ConsumerObserver {
  readonly #loggers: Loggers;
  readonly #log: Logger;
  readonly #queue: string;
  #lastBackgroundFailure = Number.NEGATIVE_INFINITY;

  /** Logs as `logger`, about the queue named `queue`. */
  constructor(loggers: Loggers, logger: Logger, queue: string) {
    this.#loggers = loggers;
    this.#log = logger;
    this.#queue = queue;
  }

  receiveFailed(error: Error, failures: number, pauseMs: number): void {
    if (failures !== 1 && failures % EVERY !== 0) return;
    this.#log.error(
      `Receiving from the queue "${this.#queue}" failed${failures > 1 ? ` ${failures} times in a row` : ''}; trying again in ${(pauseMs / 1000).toFixed(1)} s, and until it works: ${error.message}`,
    );
  }

  receiveRecovered(seconds: number): void {
    this.#log.info(`Receiving from the queue "${this.#queue}" works again after ${seconds.toFixed(1)} s`);
  }

  /** Throws if the body of a message that will be deleted could not be kept in the messages log. */
  failed({ message, queue }: Delivery, error: unknown, outcome: Outcome): void {
    const fields = { queue: queue.name, messageId: message.id, receiveCount: message.receiveCount };
    if (isTransientError(error) || outcome.action === 'retry') {
      const again = outcome.action === 'retry' ? comesBack(outcome.delaySeconds) : '';
      if (isTransientError(error)) {
        this.#log.info(`Message ${message.id} ${again}: ${error.message}`, undefined, fields);
        return;
      }
      this.#log.error('Handling a message', error, fields);
      this.#log.info(`Message ${message.id} ${again}`, undefined, fields);
      return;
    }
    this.#log.error('Handling a message', error, fields);
    try {
      this.#loggers.keep(message.body);
    } catch (cause) {
      this.#log.error(
        `Message ${message.id} is not deleted, because the messages log cannot be written`,
        cause,
        fields,
      );
      throw cause;
    }
  }

  afterMessageFailed(_delivery: Delivery, error: unknown): void {
    this.#log.error('The worker failed in afterMessage', error);
  }

  settleFailed(error: Error, count: number): void {
    this.#backgroundFailure(`${count} outcomes could not be settled yet: ${error.message}`);
  }

  extensionFailed(error: Error, count: number): void {
    this.#backgroundFailure(
      `The visibility timeout of ${count} messages could not be extended yet: ${error.message}`,
    );
  }

  leaseLost({ message, queue }: Delivery, reason: string): void {
    this.#log.warn(
      `Message ${message.id} is no longer held here and may be handled again: ${reason}`,
      undefined,
      {
        queue: queue.name,
        messageId: message.id,
      },
    );
  }

  #backgroundFailure(text: string): void {
    const now = performance.now();
    if (now - this.#lastBackgroundFailure < QUIET_MS) return;
    this.#lastBackgroundFailure = now;
    this.#log.warn(text);
  }
}

function comesBack(delaySeconds: number | undefined): string {
  if (delaySeconds === undefined) return 'comes back when its visibility timeout ends';
  return delaySeconds === 0 ? 'is given back' : `comes back in ${delaySeconds} s`;
}
