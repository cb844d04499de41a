/**
 * A task: a named function that runs elsewhere. `delay` sends it and `run` runs it here. Calling it directly throws.
 */

import type { Message, MessageAttributes } from '../brokers/broker.ts';
import type { SendOptions } from '../producer/producer.ts';
import type { Sent } from '../producer/send-results.ts';
import type { Backoff } from '../worker/backoff.ts';
import type { TaskContext } from './context.ts';
import type { TaskLimits } from './limiter.ts';
import type { TaskSchema } from './schema.ts';

/** The input of a task whose handler takes no arguments. */
export type NoArguments = Record<string, never>;

/** The input of a call; optional if nothing in it is required. */
export type Input<Value> = Record<never, never> extends Value ? [input?: Value] : [input: Value];

/** Options for sending a call. */
export interface DelayOptions extends SendOptions {
  /** The content type of the codec for this call. Default: that of the task. */
  readonly contentType?: string;
}

export interface Task<Value> {
  /** Throws: a direct call would not show whether the task runs here or elsewhere. */
  (...input: Input<Value>): never;
  readonly taskName: string;
  readonly queueName: string;
  /**
   * Sends a call; resolves when the broker has it. Throws TaskInputError if the input does not match the schema,
   * SendError if the broker refuses the message (such as one with too long a delay), QueueNotFoundError, BrokerError.
   */
  delay(...input: Input<Value>): Promise<Sent>;
  /** Runs the handler here immediately, with its schema and middleware. */
  run(...input: Input<Value>): Promise<void>;
  /** Stores an input for later. */
  bake(...input: Input<Value>): BakedTask;
  /** Returns the same task with these options for every call. */
  with(options: DelayOptions): Task<Value>;
}

/** A task with its input. */
export interface BakedTask {
  delay(options?: DelayOptions): Promise<Sent>;
  run(): Promise<void>;
}

/** What a task does, for `makeTask`. */
export interface TaskActions {
  readonly taskName: string;
  readonly queueName: string;
  send(input: unknown, options: DelayOptions): Promise<Sent>;
  run(input: unknown): Promise<void>;
}

export function makeTask<Value>(actions: TaskActions, options: DelayOptions = {}): Task<Value> {
  const { taskName, queueName } = actions;
  const refuse = (): never => {
    throw new TypeError(
      `The task "${taskName}" was called like a function. Send it with ${taskName}.delay(…), or run it here with ${taskName}.run(…).`,
    );
  };
  return Object.assign(refuse, {
    taskName,
    queueName,
    delay: (...[input]: Input<Value>) => actions.send(input, options),
    run: (...[input]: Input<Value>) => actions.run(input),
    bake: (...[input]: Input<Value>): BakedTask => ({
      delay: (more = {}) => actions.send(input, { ...options, ...more }),
      run: () => actions.run(input),
    }),
    with: (more: DelayOptions) => makeTask<Value>(actions, { ...options, ...more }),
  });
}

/** The definition of a task: its name, the format of its messages, and its handler. */
export interface Definition extends TaskLimits {
  readonly name: string;
  readonly format: Format;
  readonly schema?: TaskSchema | undefined;
  readonly backoff?: Backoff | undefined;
  /** null if the task is only sent from here. */
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

/** `message` is undefined for `run`. `atOnce`: do not wait for a batch. */
export type Handle = (input: unknown, message: Message | undefined, atOnce: boolean) => void | Promise<void>;
