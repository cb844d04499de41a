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

export interface TaskOptions extends TaskLimits {
  /** Checks the input when it is sent and when it is handled. */
  readonly schema?: TaskSchema;
  readonly backoff?: Backoff;
  readonly contentType?: string;
}

export type BatchTaskOptions = TaskOptions & GatherOptions;

export interface RawTaskOptions extends TaskLimits {
  /** Reads the body, and writes what is sent. Default: the body as text. */
  readonly codec?: Codec;
  readonly schema?: TaskSchema;
  readonly backoff?: Backoff;
}
