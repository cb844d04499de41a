/** What a task is made of: its name, how its messages are written and read, and what handles them. */
import type { Message, MessageAttributes } from '../brokers/broker.ts';
import type { Backoff } from '../worker/backoff.ts';
import type { TaskContext } from './context.ts';
import type { TaskLimits } from './limits.ts';
import type { TaskSchema } from './schema.ts';
import type { DelayOptions } from './task.ts';

export interface Definition extends TaskLimits {
  readonly name: string;
  readonly format: Format;
  readonly schema?: TaskSchema | undefined;
  readonly backoff?: Backoff | undefined;
  /** null: it is only sent from here. */
  readonly handle: Handle | null;
}

/** How the messages of a task are written and read. */
export interface Format {
  encode(input: unknown, options: DelayOptions): OutgoingBody;
  decode(message: Message): Decoded | Promise<Decoded>;
}

export interface OutgoingBody {
  readonly body: string;
  readonly attributes: MessageAttributes;
}

export interface Decoded {
  readonly input: unknown;
  readonly context: TaskContext;
}

/** `message` is undefined for `run`. `atOnce`: not to be gathered with others. */
export type Handle = (input: unknown, message: Message | undefined, atOnce: boolean) => void | Promise<void>;
