/** What a producer throws when a message could not be sent. Each holds the message, so that nothing is lost. */
import type { OutgoingMessage } from '../brokers/broker.ts';
import type { Sent } from './queue.ts';

/** A message that was not sent: the broker refused it, or it is beyond a limit. */
export class SendError extends Error {
  override readonly name = 'SendError';
  /** The message as it would have been sent. */
  readonly outgoing: OutgoingMessage;
  /** The broker's own code, if the broker refused it. */
  readonly code: string | undefined;

  constructor(message: string, outgoing: OutgoingMessage, code?: string, options?: ErrorOptions) {
    super(message, options);
    this.outgoing = outgoing;
    this.code = code;
  }
}

/** Some messages of a batch were not sent; the others were. */
export class BatchError extends AggregateError {
  override readonly name = 'BatchError';
  /** In the order of the batch: what was sent, or the error of what was not. */
  readonly results: readonly (Sent | Error)[];

  constructor(queue: string, results: readonly (Sent | Error)[]) {
    const errors = results.filter((result) => result instanceof Error);
    super(
      errors,
      `${errors.length} of ${results.length} messages were not sent to the queue "${queue}": ${errors[0]?.message}`,
    );
    this.results = results;
  }
}
