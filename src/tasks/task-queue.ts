/**
 * A queue with typed tasks:
 *
 *     const emails = taskQueue('emails');
 *     export const sendEmail = emails.task('send_email', async (email: { to: string; subject: string }) => { … });
 *     await sendEmail.delay({ to, subject });
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Message, MessageAttributes } from '../brokers/broker.ts';
import { textCodec } from '../message/codecs.ts';
import { LazySender } from '../producer/lazy-sender.ts';
import type { Sent } from '../producer/queue.ts';
import type { Backoff } from '../worker/backoff.ts';
import { failureOf } from './attempt.ts';
import { currentContext, restoreContext, type TaskContext } from './context.ts';
import { taskDefaults } from './defaults.ts';
import { type BatchHandler, Gatherer } from './gather.ts';
import { Limiter, type TaskLimits } from './limits.ts';
import { wrap } from './middleware.ts';
import type { BatchTaskOptions, RawTaskOptions, TaskOptions, TaskQueueOptions } from './options.ts';
import { type RegisteredQueue, registerQueue } from './registry.ts';
import { checkInput, type TaskSchema } from './schema.ts';
import { noteSend, sendTogether } from './sending-scope.ts';
import { type DelayOptions, makeTask, type Task } from './task.ts';
import { traced, tracedSend } from './tracing.ts';
import { decodeTask, encodeTask } from './wire.ts';

/** The tasks of the queue `name`. Nothing is opened before the first call. */
export function taskQueue(name: string, options: TaskQueueOptions = {}): TaskQueue {
  return new TaskQueue(name, options);
}

/** How the messages of a task are written and read. */
interface Format {
  encode(input: unknown, options: DelayOptions, carrier: MessageAttributes): OutgoingBody;
  decode(message: Message): Decoded | Promise<Decoded>;
}

interface Decoded {
  readonly input: unknown;
  readonly context: TaskContext;
}

type OutgoingBody = { readonly body: string; readonly attributes: MessageAttributes };

interface Definition extends TaskLimits {
  readonly name: string;
  readonly format: Format;
  readonly schema?: TaskSchema | undefined;
  readonly backoff?: Backoff | undefined;
  /** null: it is only sent from here. */
  readonly handle: Handle | null;
}

/** `message` is undefined for `run`. `atOnce`: not to be gathered with others. */
type Handle = (input: unknown, message: Message | undefined, atOnce: boolean) => void | Promise<void>;

export class TaskQueue {
  readonly name: string;
  readonly #options: TaskQueueOptions;
  readonly #registered: RegisteredQueue;
  readonly #sender: LazySender;

  constructor(name: string, options: TaskQueueOptions) {
    this.name = name;
    this.#options = options;
    this.#registered = registerQueue(name, options.deadLetterQueue);
    this.#sender = new LazySender(name, options.broker);
  }

  /** A task whose input has a schema: senders write what the schema takes, the handler gets what it makes of that. */
  task<Schema extends TaskSchema>(
    name: string,
    handler: ((input: StandardSchemaV1.InferOutput<Schema>) => void | Promise<void>) | null,
    options: TaskOptions & { readonly schema: Schema },
  ): Task<StandardSchemaV1.InferInput<Schema>>;
  /** A task: its handler takes one object of named arguments. null: it is only sent from here, and handled elsewhere. */
  task<Value>(
    name: string,
    handler: ((input: Value) => void | Promise<void>) | null,
    options?: TaskOptions,
  ): Task<Value>;
  task(
    name: string,
    handler: ((input: never) => void | Promise<void>) | null,
    options: TaskOptions = {},
  ): Task<unknown> {
    return this.#define({
      ...options,
      name,
      format: this.#format(name, options),
      handle: handler && ((input) => handler(input as never)),
    });
  }

  /**
   * A task whose handler takes many inputs at once: up to `size`, or those that come within `wait` seconds. It needs a
   * container that runs that many messages at once.
   */
  batchTask<Value>(name: string, handler: BatchHandler<Value>, options: BatchTaskOptions = {}): Task<Value> {
    const gatherer = new Gatherer(handler, options);
    const alone = new Gatherer(handler, { size: 1 });
    return this.#define({
      ...options,
      name,
      format: this.#format(name, options),
      handle: (input, message, atOnce) => (atOnce ? alone : gatherer).handle(input as Value, message),
    });
  }

  /**
   * Handles what is no task: messages of other programs, such as EventBridge, SNS or S3. The handler gets what the codec
   * makes of the body (default: the body as text), and the message. A queue has one of these. null: as for a task.
   */
  rawTask<Value = string>(
    handler: ((input: Value, message: Message) => void | Promise<void>) | null,
    options: RawTaskOptions = {},
  ): Task<Value> {
    const { codec = textCodec } = options;
    const format: Format = {
      encode: (input, { attributes }, carrier) => ({
        body: codec.encode(input),
        attributes: { ...attributes, ...carrier },
      }),
      decode: async ({ body }) => ({ input: await codec.decode(body), context: {} }),
    };
    return this.#define(
      {
        ...options,
        name: `${this.name}.raw`,
        format,
        handle: handler && ((input, message) => handler(input as Value, message as Message)),
      },
      'raw',
    );
  }

  /**
   * Waits for all that `work` sends, which need not await it itself. Throws BatchError if some of it was not sent; each
   * of its errors holds the message.
   */
  batch(work: () => unknown): Promise<Sent[]> {
    return sendTogether(this.name, work);
  }

  #format(name: string, { contentType: ofTask }: { readonly contentType?: string }): Format {
    return {
      encode: (input, { contentType, attributes = {} }, carrier) =>
        encodeTask(
          {
            name,
            input,
            contentType: contentType ?? ofTask ?? this.#options.contentType ?? taskDefaults().contentType,
            context: currentContext(),
          },
          { ...attributes, ...carrier },
        ),
      decode: decodeTask,
    };
  }

  #define<Value>(definition: Definition, kind: 'task' | 'raw' = 'task'): Task<Value> {
    const { name } = definition;
    const limiter = new Limiter(definition);
    const handling = {
      description: kind === 'raw' ? name : `${this.name}.${name}`,
      handleMessage: (message: Message, atOnce = false) =>
        this.#handleMessage(definition, limiter, message, atOnce),
      failure: (error: unknown, message: Message) => this.#failure(definition, error, message),
    };
    if (definition.handle && kind === 'raw') this.#registered.raw = handling;
    else if (definition.handle) this.#registered.tasks.set(name, handling);
    return makeTask<Value>({
      taskName: name,
      queueName: this.name,
      send: (input, options) => noteSend(this.#send(definition, input, options)),
      run: async (input) => this.#run(definition, input, undefined, true),
    });
  }

  async #send(
    { name, format, schema }: Definition,
    input: unknown = {},
    options: DelayOptions,
  ): Promise<Sent> {
    await checkInput(name, schema, input);
    const { delaySeconds, groupId, deduplicationId } = options;
    return tracedSend({ queue: this.name, task: name }, async (carrier) => {
      const message = {
        ...format.encode(input, options, carrier),
        ...(delaySeconds !== undefined && { delaySeconds }),
        ...(groupId !== undefined && { groupId }),
        ...(deduplicationId !== undefined && { deduplicationId }),
      };
      return { ...(await this.#sender.send(message)), body: message.body };
    });
  }

  /** Takes no turn of the event loop unless its parts do: promises would cost more than all else that is done here. */
  #handleMessage(
    definition: Definition,
    limiter: Limiter,
    message: Message,
    atOnce: boolean,
  ): void | Promise<void> {
    const about = { queue: this.name, task: definition.name };
    const handle = ({ input, context }: Decoded) => {
      const run = () => this.#run(definition, input, message, atOnce);
      const runInTurn = atOnce ? run : () => limiter.run(run);
      return restoreContext(context, () => traced(message, about, runInTurn));
    };
    const fail = (error: unknown): never => {
      throw this.#failure(definition, error, message);
    };
    try {
      const decoded = definition.format.decode(message);
      const handling = decoded instanceof Promise ? decoded.then(handle) : handle(decoded);
      return handling === undefined ? undefined : Promise.resolve(handling).catch(fail);
    } catch (error) {
      return fail(error);
    }
  }

  #failure({ backoff }: Definition, error: unknown, { receiveCount }: Message): Error {
    return failureOf(error, receiveCount, backoff ?? this.#options.backoff ?? taskDefaults().backoff);
  }

  #run(
    definition: Definition,
    input: unknown = {},
    message: Message | undefined,
    atOnce: boolean,
  ): void | Promise<void> {
    const { name, schema, handle } = definition;
    if (!handle) throw new TypeError(`The task "${name}" has no handler here: it can only be sent.`);
    const middlewares = [...taskDefaults().middleware, ...(this.#options.middleware ?? [])];
    const run = (checked: unknown) => {
      if (middlewares.length === 0) return handle(checked, message, atOnce);
      const invocation = { task: name, queue: this.name, input: checked, message };
      return wrap(middlewares, invocation, async () => handle(checked, message, atOnce));
    };
    return schema ? checkInput(name, schema, input).then(run) : run(input);
  }
}
