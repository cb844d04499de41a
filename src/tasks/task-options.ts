/** What tasks can be made with: the options of a queue and of a task, middleware, and the defaults of the process. */
import type { Message } from '../brokers/broker.ts';
import type { Codec } from '../message/codecs.ts';
import { type Backoff, exponentialBackoff } from '../worker/backoff.ts';
import type { GatherOptions } from './gather.ts';
import type { TaskLimits } from './limiter.ts';
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

export interface TaskDefaults {
  /** When a message comes back whose handler failed. Default: exponential, as in sqs-workers. */
  readonly backoff: Backoff;
  /** The codec of what is sent. Default: `json`. */
  readonly contentType: string;
  /** Around every handler, outside of those of its queue. Default: none. */
  readonly middleware: readonly Middleware[];
}

const key = Symbol.for('sqs-containers.taskDefaults');
const holder = globalThis as { [key]?: TaskDefaults };

/** The defaults as they are now. */
export function taskDefaults(): TaskDefaults {
  holder[key] ??= { backoff: exponentialBackoff(), contentType: 'json', middleware: [] };
  return holder[key];
}

/** Changes defaults, for the whole process. */
export function configureTasks(defaults: Partial<TaskDefaults>): void {
  holder[key] = { ...taskDefaults(), ...defaults };
}

/** A call of a handler. */
export interface Invocation {
  readonly task: string;
  readonly queue: string;
  readonly input: unknown;
  /** The message; undefined for `run`, which needs none. */
  readonly message: Message | undefined;
}

/** A function around every handler, for timing, transactions, tenants (sqs-workers' processors). Calls `next` to go on; what it throws is the handler's error, and what it throws itself counts as that. */
export type Middleware = (invocation: Invocation, next: () => Promise<void>) => void | Promise<void>;

/** Runs `handler` with the middlewares around it, the first one outermost. */
export function wrap(
  middlewares: readonly Middleware[],
  invocation: Invocation,
  handler: () => Promise<void>,
): Promise<void> {
  return middlewares.reduceRight<() => Promise<void>>(
    (next, middleware) => async () => middleware(invocation, next),
    handler,
  )();
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
