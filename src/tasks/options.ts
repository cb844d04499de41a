/** What queues of tasks, and tasks, can be made with. */
import type { Codec } from '../message/codecs.ts';
import type { Backoff } from '../worker/backoff.ts';
import type { GatherOptions } from './gather.ts';
import type { TaskLimits } from './limits.ts';
import type { Middleware } from './middleware.ts';
import type { TaskSchema } from './schema.ts';

export interface TaskQueueOptions {
  /** The broker's address. Default: as for `queue(name)`. */
  readonly broker?: string;
  /** For the tasks that have none of their own. Default: that of `configureTasks`. */
  readonly backoff?: Backoff;
  readonly contentType?: string;
  /** Around the handlers of this queue, inside of those of `configureTasks`. */
  readonly middleware?: readonly Middleware[];
  /** Messages that come back from this queue are for the same tasks. */
  readonly deadLetterQueue?: string;
}

type AnySchema = TaskSchema | undefined;

export interface TaskOptions<Schema extends AnySchema = AnySchema> extends TaskLimits {
  /** Checks the input when it is sent and when it is handled. Default: it is one object of named arguments. */
  readonly schema?: Schema;
  readonly backoff?: Backoff;
  readonly contentType?: string;
}

export type BatchTaskOptions<Schema extends AnySchema = AnySchema> = TaskOptions<Schema> & GatherOptions;

export interface RawTaskOptions<Schema extends AnySchema = AnySchema> extends TaskLimits {
  /** Reads the body, and writes what is sent. Default: the body as text. */
  readonly codec?: Codec;
  /** Checks what the codec reads, and what it is to write. Default: no check. */
  readonly schema?: Schema;
  readonly backoff?: Backoff;
}

/** Throws RangeError for a task without a name, and for numbers with which it would never run. */
export function checkTask(name: string, { concurrency, rate, size, wait }: TaskLimits & GatherOptions): void {
  if (!name) throw new RangeError('A task needs a name: it is how a message says which task it is for.');
  const check = (
    option: string,
    value: number | undefined,
    fits: (value: number) => boolean,
    wanted: string,
  ) => {
    if (value === undefined || fits(value)) return;
    throw new RangeError(`The ${option} of the task "${name}" must be ${wanted}, and is ${value}.`);
  };
  const isCount = (value: number) => Number.isInteger(value) && value >= 1;
  check('concurrency', concurrency, isCount, 'a whole number from 1');
  check('rate.count', rate?.count, isCount, 'a whole number from 1');
  check('rate.seconds', rate?.seconds, (seconds) => seconds > 0, 'a number above 0');
  check('size', size, isCount, 'a whole number from 1');
  check('wait', wait, (seconds) => seconds >= 0, 'a number from 0');
}
