/**
 * From what `module:expr` names to something that takes messages: calls the factory or constructs the class,
 * and settles on the one function that a container calls for each message.
 */
import type { Message } from '../brokers/broker.ts';
import type { Config } from '../config/config.ts';
import { decodeCall } from '../message/call.ts';
import { isClass, loadExpression } from '../modules/load.ts';
import type { MessageLog } from './current-message.ts';

/** The `[worker]` section of the ini file; empty when there is none. */
export type WorkerConfig = Readonly<Record<string, string>>;

/** Handles one call. Returning means done; see TransientError for "again". */
export type WorkerFunction<Args extends readonly unknown[] = readonly unknown[]> = (
  ...args: Args
) => void | Promise<void>;

/** A worker with more than a function: something to do after each message, or messages taken raw. */
export interface WorkerObject<Args extends readonly unknown[] = readonly unknown[]> {
  /** Handles one call, as a WorkerFunction. */
  handle?(...args: Args): void | Promise<void>;
  /** Handles the message itself instead of the call in its body. */
  handleMessage?(message: Message): void | Promise<void>;
  /** Runs after each message, whatever became of it (django-sqs closed database connections there). */
  afterMessage?(): void | Promise<void>;
  /** The error to go by for a message that took longer than the handler timeout, such as a TransientError. */
  onTimeout?(error: Error, message: Message): unknown;
}

/**
 * What `worker = module:expr` names: called once at start with the `[worker]` section.
 * A class serves, too: it is constructed with the section, and its method `handle` takes the calls.
 */
export type WorkerFactory<Args extends readonly unknown[] = readonly unknown[]> = (
  config: WorkerConfig,
  context: WorkerContext,
) => WorkerFunction<Args> | WorkerObject<Args> | Promise<WorkerFunction<Args>> | Promise<WorkerObject<Args>>;

/** What a worker factory can know of its container. */
export interface WorkerContext {
  /** The folder of the ini file: what relative paths in it start from. */
  readonly directory: string;
  /** The container's log. */
  readonly log: MessageLog;
}

/** A worker ready to run: what the run loop calls. */
export interface Worker {
  handleMessage(message: Message): void | Promise<void>;
  afterMessage?(): void | Promise<void>;
  onTimeout?(error: Error, message: Message): unknown;
}

/** The factory was found, and did not give a worker. The message names it and says what would do. */
export class WorkerFactoryError extends Error {
  override readonly name = 'WorkerFactoryError';
}

/** Throws WorkerFactoryError if what `name` names cannot be a worker factory. Does not call it. */
export function checkFactory(factory: unknown, name: string): asserts factory is AnyFactory {
  if (typeof factory === 'function') return;
  throw new WorkerFactoryError(
    `${name} is ${describe(factory)}, not a function: it should be a worker factory, (config) => (…args) => …, or a class.`,
  );
}

type AnyFactory = (config: WorkerConfig, context: WorkerContext) => unknown;

/** Imports what the option `worker` names and makes the worker. Throws ModuleLoadError, WorkerFactoryError. */
export async function makeWorker({ container, directory, worker }: Config, log: MessageLog): Promise<Worker> {
  const factory = await loadExpression(container.worker, directory);
  return createWorker(factory, worker, container.worker, { directory, log });
}

/** Calls the factory (or constructs the class) that `name` names. Throws WorkerFactoryError. */
export async function createWorker(
  factory: unknown,
  config: WorkerConfig,
  name: string,
  context: WorkerContext,
): Promise<Worker> {
  checkFactory(factory, name);
  let made: unknown;
  try {
    made = isClass(factory) ? Reflect.construct(factory, [config, context]) : await factory(config, context);
  } catch (cause) {
    throw new WorkerFactoryError(`The worker factory ${name} failed: ${messageOf(cause)}`, { cause });
  }
  const worker = asWorker(made);
  if (worker) return worker;
  throw new WorkerFactoryError(
    `The worker factory ${name} returned ${describe(made)}: it should return a function that takes the arguments of a call, or an object with a method "handle".`,
  );
}

function asWorker(made: unknown): Worker | undefined {
  if (typeof made === 'function') return fromFunction(made as WorkerFunction);
  if (typeof made !== 'object' || made === null) return undefined;
  const object = made as WorkerObject;
  const afterMessage = object.afterMessage?.bind(object);
  const onTimeout = object.onTimeout?.bind(object);
  const extra = { ...(afterMessage && { afterMessage }), ...(onTimeout && { onTimeout }) };
  if (typeof object.handleMessage === 'function') {
    return { handleMessage: object.handleMessage.bind(object), ...extra };
  }
  const method = callMethod(object);
  return method && { ...fromFunction(method.bind(object)), ...extra };
}

function fromFunction(handle: WorkerFunction): Worker {
  return { handleMessage: (message) => handle(...decodeCall(message.body)) };
}

/** The method `handle`, or the only one that an instance's class declares. */
function callMethod(object: object): WorkerFunction | undefined {
  const named = (object as WorkerObject).handle;
  if (typeof named === 'function') return named;
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype === Object.prototype || prototype === null) return undefined;
  const methods = Object.getOwnPropertyNames(prototype)
    .filter((key) => !['constructor', 'afterMessage', 'onTimeout'].includes(key))
    .map((key) => Object.getOwnPropertyDescriptor(prototype, key)?.value as unknown)
    .filter((value) => typeof value === 'function');
  return methods.length === 1 ? (methods[0] as WorkerFunction) : undefined;
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value === 'function') return 'a function';
  return `the ${typeof value} ${JSON.stringify(value)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
