/** The options of queues and tasks, middleware, and the defaults of the process. */
import type { Message } from '../brokers/broker.ts';
import type { Codec } from '../message/codecs.ts';
import { type Backoff, exponentialBackoff } from '../worker/backoff.ts';
import type { GatherOptions } from './gather.ts';
import type { TaskLimits } from './limiter.ts';
import type { TaskSchema } from './schema.ts';

export interface TaskQueueOptions {
  /** The broker's address. Default: as for `queue(name)`. */
  readonly broker?: string;
  /** The backoff for tasks without their own. Default: that of `configureTasks`. */
  readonly backoff?: Backoff;
  readonly contentType?: string;
  /** Runs around the handlers of this queue, inside the middleware of `configureTasks`. */
  readonly middleware?: readonly Middleware[];
  /** Messages from this queue are for the same tasks. */
  readonly deadLetterQueue?: string;
}

type AnySchema = TaskSchema | undefined;

export interface TaskOptions<Schema extends AnySchema = AnySchema> extends TaskLimits {
  /** Validates the input when it is sent and when it is handled. Default: one object with named arguments. */
  readonly schema?: Schema;
  readonly backoff?: Backoff;
  readonly contentType?: string;
}

export type BatchTaskOptions<Schema extends AnySchema = AnySchema> = TaskOptions<Schema> & GatherOptions;

export interface RawTaskOptions<Schema extends AnySchema = AnySchema> extends TaskLimits {
  /** Reads and writes the body. Default: the body as text. */
  readonly codec?: Codec;
  /** Validates what the codec reads and writes. Default: no validation. */
  readonly schema?: Schema;
  readonly backoff?: Backoff;
}

export interface TaskDefaults {
  /** How long a message waits for a retry after its handler failed. Default: exponential, as in sqs-workers. */
  readonly backoff: Backoff;
  /** The codec for sent messages. Default: `json`. */
  readonly contentType: string;
  /** Runs around every handler, outside the middleware of its queue. Default: none. */
  readonly middleware: readonly Middleware[];
}

const key = Symbol.for('sqs-containers.taskDefaults');
const holder = globalThis as { [key]?: TaskDefaults };

/** The current defaults. */
export function taskDefaults(): TaskDefaults {
  holder[key] ??= { backoff: exponentialBackoff(), contentType: 'json', middleware: [] };
  return holder[key];
}

/** Changes defaults for the whole process. */
export function configureTasks(defaults: Partial<TaskDefaults>): void {
  holder[key] = { ...taskDefaults(), ...defaults };
}

/** A call to a handler. */
export interface Invocation {
  readonly task: string;
  readonly queue: string;
  readonly input: unknown;
  /** The message; undefined for `run`, which does not need one. */
  readonly message: Message | undefined;
}

/**
 * A function that wraps every handler, for timing, transactions or tenants (like sqs-workers' processors). It calls
 * `next` to continue. `next` throws the handler's errors; an error that the middleware throws counts as the handler's.
 */
export type Middleware = (invocation: Invocation, next: () => Promise<void>) => void | Promise<void>;

/** Runs `handler` wrapped in the middlewares; the first one is outermost. */
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

/** Throws RangeError for a task without a name, or for numbers with which it would never run. */
export function checkTask(name: string, { concurrency, rate, size, wait }: TaskLimits & GatherOptions): void {
  if (!name) throw new RangeError('A task needs a name, because messages refer to their task by name.');
  const check = (
    option: string,
    value: number | undefined,
    fits: (value: number) => boolean,
    wanted: string,
  ) => {
    if (value === undefined || fits(value)) return;
    throw new RangeError(`The ${option} of the task "${name}" must be ${wanted}, not ${value}.`);
  };
  const isCount = (value: number) => Number.isInteger(value) && value >= 1;
  check('concurrency', concurrency, isCount, 'a whole number, 1 or more');
  check('rate.count', rate?.count, isCount, 'a whole number, 1 or more');
  check('rate.seconds', rate?.seconds, (seconds) => seconds > 0, 'a number above 0');
  check('size', size, isCount, 'a whole number, 1 or more');
  check('wait', wait, (seconds) => seconds >= 0, 'a number, 0 or more');
}
