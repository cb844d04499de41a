/**
 * A queue with typed tasks:
 *
 *     const emails = taskQueue('emails');
 *     export const sendEmail = emails.task('send_email', async (email: { to: string; subject: string }) => { … });
 *     await sendEmail.delay({ to, subject });
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Message } from '../brokers/broker.ts';
import { textCodec } from '../message/codecs.ts';
import { traced, tracedSend, withTrace } from '../observe/tracing/tracing.ts';
import { allSent, type Sent } from '../producer/send-results.ts';
import { LazySender } from '../producer/sender.ts';
import { currentMessage } from '../worker/current-message.ts';
import { currentContext, restoreContext } from './context.ts';
import { type BatchHandler, Gatherer } from './gather.ts';
import { Limiter } from './limiter.ts';
import { type RegisteredQueue, registerQueue } from './registry.ts';
import { failureOf } from './retry.ts';
import { checkInput, namedArguments, type TaskSchema } from './schema.ts';
import {
  type Decoded,
  type Definition,
  type DelayOptions,
  type Format,
  makeTask,
  type NoArguments,
  type Task,
} from './task.ts';
import {
  type BatchTaskOptions,
  checkTask,
  type RawTaskOptions,
  type TaskOptions,
  type TaskQueueOptions,
  taskDefaults,
  wrap,
} from './task-options.ts';
import { decodeTask, encodeTask } from './wire.ts';

/** A queue for tasks. Opens nothing until the first call. */
export function taskQueue(name: string, options: TaskQueueOptions = {}): TaskQueue {
  return new TaskQueue(name, options);
}

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

  /** A task with a schema: senders pass the schema's input type, and the handler gets its output type. */
  task<Schema extends TaskSchema>(
    name: string,
    handler: ((input: StandardSchemaV1.InferOutput<Schema>) => void | Promise<void>) | null,
    options: TaskOptions<Schema> & { readonly schema: Schema },
  ): Task<StandardSchemaV1.InferInput<Schema>>;
  /**
   * A task: its handler takes one object with named arguments. Pass null as the handler if the task is only sent from
   * here and handled elsewhere. Throws RangeError for options with which it would never run.
   */
  task<Value extends object = NoArguments>(
    name: string,
    handler: ((input: Value) => void | Promise<void>) | null,
    options?: TaskOptions<undefined>,
  ): Task<Value>;
  task(
    name: string,
    handler: ((input: never) => void | Promise<void>) | null,
    options: TaskOptions = {},
  ): Task<unknown> {
    checkTask(name, options);
    return this.#define({
      schema: namedArguments,
      ...options,
      name,
      format: this.#format(name, options),
      handle: handler && ((input) => handler(input as never)),
    });
  }

  /** A batch task with a schema, as for a task. */
  batchTask<Schema extends TaskSchema>(
    name: string,
    handler: BatchHandler<StandardSchemaV1.InferOutput<Schema>>,
    options: BatchTaskOptions<Schema> & { readonly schema: Schema },
  ): Task<StandardSchemaV1.InferInput<Schema>>;
  /**
   * A task whose handler takes many inputs at once: up to `size`, or those that arrive within `wait` seconds. It needs
   * a container that runs that many messages at once. Throws RangeError, like `task`.
   */
  batchTask<Value extends object = NoArguments>(
    name: string,
    handler: BatchHandler<Value>,
    options?: BatchTaskOptions<undefined>,
  ): Task<Value>;
  batchTask(name: string, handler: BatchHandler<never>, options: BatchTaskOptions = {}): Task<unknown> {
    checkTask(name, options);
    const [gatherer, alone] = [new Gatherer(handler, options), new Gatherer(handler, { size: 1 })];
    return this.#define({
      schema: namedArguments,
      ...options,
      name,
      format: this.#format(name, options),
      handle(input, message, atOnce) {
        if (atOnce) return alone.handle(input as never, message);
        return gatherer.handle(input as never, message, currentMessage().signal);
      },
    });
  }

  /** A raw task with a schema for the values that its codec reads, as for a task. */
  rawTask<Schema extends TaskSchema>(
    handler: ((input: StandardSchemaV1.InferOutput<Schema>, message: Message) => void | Promise<void>) | null,
    options: RawTaskOptions<Schema> & { readonly schema: Schema },
  ): Task<StandardSchemaV1.InferInput<Schema>>;
  /**
   * Handles messages that are not tasks, from other programs such as EventBridge, SNS or S3. The handler gets the
   * decoded body (default: as text) and the message. A queue has at most one raw task. null: as for `task`.
   */
  rawTask<Value = string>(
    handler: ((input: Value, message: Message) => void | Promise<void>) | null,
    options?: RawTaskOptions<undefined>,
  ): Task<Value>;
  rawTask(
    handler: ((input: never, message: Message) => void | Promise<void>) | null,
    options: RawTaskOptions = {},
  ): Task<unknown> {
    const name = `${this.name}.raw`;
    checkTask(name, options);
    const { codec = textCodec } = options;
    const format: Format = {
      encode: (input, { attributes = {} }) => ({ body: codec.encode(input), attributes }),
      decode: async ({ body }) => ({ input: await codec.decode(body), context: {} }),
    };
    const handle =
      handler && ((input: unknown, message?: Message) => handler(input as never, message as Message));
    return this.#define({ ...options, name, format, handle }, 'raw');
  }

  /**
   * Waits for everything that `work` sends, so that `work` does not have to await it. Throws BatchError if some
   * messages were not sent; each of its errors contains the message.
   */
  batch(work: () => unknown): Promise<Sent[]> {
    return sendTogether(this.name, work);
  }

  #format(name: string, { contentType: ofTask }: { readonly contentType?: string }): Format {
    return {
      encode: (input, { contentType, attributes }) =>
        encodeTask(
          {
            name,
            input,
            contentType: contentType ?? ofTask ?? this.#options.contentType ?? taskDefaults().contentType,
            context: currentContext(),
          },
          attributes,
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
    if (schema) await checkInput(name, schema, input);
    const { delaySeconds, groupId, deduplicationId } = options;
    return tracedSend({ queue: this.name, task: name }, async (carrier) => {
      const { body, attributes } = format.encode(input, options);
      const message = {
        body,
        attributes: withTrace(attributes, carrier),
        ...(delaySeconds !== undefined && { delaySeconds }),
        ...(groupId !== undefined && { groupId }),
        ...(deduplicationId !== undefined && { deduplicationId }),
      };
      return { ...(await this.#sender.send(message)), body };
    });
  }

  /** Stays synchronous unless its parts are asynchronous: promises would cost more than everything else here. */
  #handleMessage(
    definition: Definition,
    limiter: Limiter,
    message: Message,
    atOnce: boolean,
  ): void | Promise<void> {
    const about = { queue: this.name, task: definition.name };
    const handle = ({ input, context }: Decoded) => {
      const run = () => this.#run(definition, input, message, atOnce);
      const runInTurn = atOnce ? run : () => limiter.run(run, () => currentMessage().signal);
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
    const checked = schema ? checkInput(name, schema, input) : input;
    return checked instanceof Promise ? checked.then(run) : run(checked);
  }
}

/** The messages sent inside `queue.batch(async () => …)`. */
const scope = new AsyncLocalStorage<Promise<Sent>[]>();

/** Runs `work`, then waits for everything that it sent. Throws BatchError if some messages were not sent. */
async function sendTogether(queue: string, work: () => unknown): Promise<Sent[]> {
  const sends: Promise<Sent>[] = [];
  await scope.run(sends, async () => work());
  return allSent(queue, sends);
}

/** Records a send, so that it does not have to be awaited inside `batch`. */
function noteSend(send: Promise<Sent>): Promise<Sent> {
  const sends = scope.getStore();
  if (!sends) return send;
  // The batch reports failures, so this promise does not have to be awaited.
  send.catch(() => {});
  sends.push(send);
  return send;
}
