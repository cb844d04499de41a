/**
 * The results of sends: the accepted message or an error. The errors contain the messages that were not sent, so that
 * they are not lost.
 */
import type { OutgoingMessage } from '../brokers/broker.ts';
import { brand } from '../modules/brand.ts';

/** The broker's response for a message that it accepted. */
export interface Accepted {
  readonly messageId: string;
  /** FIFO queues only. */
  readonly sequenceNumber?: string;
}

/** A sent message. */
export interface Sent extends Accepted {
  /** The body, as stored in the queue. */
  readonly body: string;
}

/** A message was not sent: the broker refused it, or it exceeds a limit. */
export class SendError extends Error {
  static {
    brand(SendError, 'SendError');
  }
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
  static {
    brand(BatchError, 'BatchError');
  }
  override readonly name = 'BatchError';
  /** In the order of the batch: the sent message, or the error of a message that was not sent. */
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

/** Waits for several sends and returns their results in order. Throws BatchError if some were not sent. */
export async function allSent(queue: string, sends: readonly Promise<Sent>[]): Promise<Sent[]> {
  const settled = await Promise.allSettled(sends);
  const results = settled.map((result) =>
    result.status === 'fulfilled' ? result.value : toError(result.reason),
  );
  if (results.some((result) => result instanceof Error)) throw new BatchError(queue, results);
  return results as Sent[];
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
