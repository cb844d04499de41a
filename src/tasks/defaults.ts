/** What holds for all tasks of this process, unless a queue or a task says otherwise. */
import { type Backoff, exponentialBackoff } from '../worker/backoff.ts';
import type { Middleware } from './middleware.ts';

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
