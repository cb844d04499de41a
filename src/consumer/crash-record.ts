/** Which messages ended the processes that ran them: what the run loop writes down and asks, to break a crash loop. */

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
