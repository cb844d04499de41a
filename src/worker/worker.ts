/**
 * Makes a worker from the export that `module:expr` names: calls the factory or constructs the class, and finds the
 * function that the container calls for each message.
 */
import type { Message } from '../brokers/broker.ts';
import type { Config } from '../config/config.ts';
import { decodeCall } from '../message/call.ts';
import { isClass, loadExpression } from '../modules/load.ts';
import type { MessageLog } from './current-message.ts';

/** The `[worker]` section of the ini file; empty if there is none. */
export type WorkerConfig = Readonly<Record<string, string>>;

/** Handles one call. Return when it is done; throw a TransientError to retry. */
export type WorkerFunction<Args extends readonly unknown[] = readonly unknown[]> = (
  ...args: Args
) => void | Promise<void>;

/** A worker that is more than a function: runs code after each message, or handles raw messages. */
export interface WorkerObject<Args extends readonly unknown[] = readonly unknown[]> {
  /** Handles one call, like a WorkerFunction. */
  handle?(...args: Args): void | Promise<void>;
  /** Handles the raw message instead of the call in its body. */
  handleMessage?(message: Message): void | Promise<void>;
  /** Runs after each message, whatever its outcome (django-sqs closed database connections there). */
  afterMessage?(): void | Promise<void>;
  /** Returns the error, such as a TransientError, that decides the outcome after a handler timeout. */
  onTimeout?(error: Error, message: Message): unknown;
}

/**
 * The export that `worker = module:expr` names: called once at startup with the `[worker]` section.
 * It can also be a class: it is constructed with the section, and its `handle` method handles the calls.
 */
export type WorkerFactory<Args extends readonly unknown[] = readonly unknown[]> = (
  config: WorkerConfig,
  context: WorkerContext,
) => WorkerFunction<Args> | WorkerObject<Args> | Promise<WorkerFunction<Args>> | Promise<WorkerObject<Args>>;

/** What a worker factory can find out about its container. */
export interface WorkerContext {
  /** The folder of the ini file, the base for relative paths in it. */
  readonly directory: string;
  /** The container's log. */
  readonly log: MessageLog;
}

/** A ready worker, which the run loop calls. */
export interface Worker {
  handleMessage(message: Message): void | Promise<void>;
  afterMessage?(): void | Promise<void>;
  onTimeout?(error: Error, message: Message): unknown;
}

/** The factory was found but did not return a worker. The message names it and says what was expected. */
export class WorkerFactoryError extends Error {
  override readonly name = 'WorkerFactoryError';
}

/** Throws WorkerFactoryError if `factory` cannot be a worker factory. Does not call it. */
export function checkFactory(factory: unknown, name: string): asserts factory is AnyFactory {
  if (typeof factory === 'function') return;
  throw new WorkerFactoryError(
    `${name} is ${describe(factory)}, not a function: it should be a worker factory, (config) => (…args) => …, or a class.`,
  );
}

type AnyFactory = (config: WorkerConfig, context: WorkerContext) => unknown;

/** Imports what the `worker` option names and makes the worker. Throws ModuleLoadError, WorkerFactoryError. */
export async function makeWorker({ container, directory, worker }: Config, log: MessageLog): Promise<Worker> {
  const factory = await loadExpression(container.worker, directory);
  return createWorker(factory, worker, container.worker, { directory, log });
}

/** Calls the factory (or constructs the class); `name` names it in errors. Throws WorkerFactoryError. */
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

/** The method `handle`, or the only method that the object's class declares. */
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
