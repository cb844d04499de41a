/** What goes wrong with tasks, in kinds. Each leaves the message for another try, another consumer or the dead-letter queue. */
import { brand } from '../modules/brand.ts';
import type { Backoff } from '../worker/backoff.ts';

/** The queue has no task of this name in this process. */
export class UnknownTaskError extends Error {
  static {
    brand(UnknownTaskError, 'UnknownTaskError');
  }
  override readonly name = 'UnknownTaskError';
}

/** An input that does not fit the schema of its task, when it is sent or when it is handled. */
export class TaskInputError extends Error {
  static {
    brand(TaskInputError, 'TaskInputError');
  }
  override readonly name = 'TaskInputError';
  /** What does not fit, each with its path. */
  readonly issues: readonly string[];

  constructor(task: string, issues: readonly string[]) {
    super(`The input of the task "${task}" does not fit: ${issues.join('; ')}`);
    this.issues = issues;
  }
}

/** Thrown by a handler to be called again on purpose: logged in one line, and with a backoff of its own if one is given. */
export class Retry extends Error {
  static {
    brand(Retry, 'Retry');
  }
  override readonly name = 'Retry';
  readonly backoff: Backoff | undefined;

  constructor(message = 'To be tried again', options: ErrorOptions & { readonly backoff?: Backoff } = {}) {
    super(message, options);
    this.backoff = options.backoff;
  }
}
