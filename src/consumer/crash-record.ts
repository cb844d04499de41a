/**
 * What the run loop writes down so that a message that ends the process is recognised when it comes again. The receive
 * count cannot tell: messages that were retried, or received by other hosts, have a high one, too.
 */

/** None of the methods throws: a record that cannot be kept is no reason to stop handling messages. */
export interface CrashRecord {
  /** How many processes ended while they ran this message. 0 for nearly all. */
  crashes(queue: string, messageId: string): number;
  /** Its worker starts. */
  started(queue: string, messageId: string): void;
  /** Its worker has ended, whatever the outcome. */
  ended(queue: string, messageId: string): void;
  /** Handled, or buried: it is no suspect any more. */
  forget(queue: string, messageId: string): void;
}

/** The error of a message that is not run any more, because it ended the process too often. */
export class CrashLimitError extends Error {
  override readonly name = 'CrashLimitError';

  constructor(crashes: number) {
    super(`The process ended ${crashes} times while it ran this message: it is not run again.`);
  }
}
