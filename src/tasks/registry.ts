/** The tasks in this process, by queue, and the lookup of a message's task. Importing task modules fills it. */
import type { Message } from '../brokers/broker.ts';
import { isFifoName, nameOfUrl } from '../brokers/rules/queue-name.ts';
import { brand } from '../modules/brand.ts';
import { containerPrefix } from '../producer/connections.ts';
import { currentMessage } from '../worker/current-message.ts';
import { FailedAttempt } from '../worker/errors.ts';
import { taskNameOf } from './wire.ts';

/** The queue has no task with this name in this process. */
export class UnknownTaskError extends Error {
  static {
    brand(UnknownTaskError, 'UnknownTaskError');
  }
  override readonly name = 'UnknownTaskError';
}

/** How the tasks worker handles the messages of a task. */
export interface Handling {
  /** For people: `emails.send_email`. */
  readonly description: string;
  /** `atOnce`: does not wait for other messages or for the limits of the task. */
  handleMessage(message: Message, atOnce?: boolean): void | Promise<void>;
  /** Translates an error into one that tells the run loop what to do. */
  failure(error: unknown, message: Message): Error;
}

/** A queue with tasks. */
export interface RegisteredQueue {
  readonly name: string;
  /** Messages for its tasks may also come from this queue. */
  deadLetterQueue: string | undefined;
  /** By task name. */
  readonly tasks: Map<string, Handling>;
  /** Handles messages that are not tasks. */
  raw: Handling | undefined;
}

/** Shared by all copies of the package in a process: the container and the application may load different copies. */
const key = Symbol.for('sqs-containers.tasks');
const holder = globalThis as { [key]?: Map<string, RegisteredQueue> };
holder[key] ??= new Map();
const queues = holder[key];

/** The queue with this name, registered if necessary. */
export function registerQueue(name: string, deadLetterQueue?: string): RegisteredQueue {
  let queue = queues.get(name);
  if (!queue) {
    queue = { name, deadLetterQueue, tasks: new Map(), raw: undefined };
    queues.set(name, queue);
  }
  queue.deadLetterQueue ??= deadLetterQueue;
  return queue;
}

export function registeredQueues(): readonly RegisteredQueue[] {
  return [...queues.values()];
}

/**
 * The registered queue for messages from `source`. That is the full name of the queue or of its dead-letter queue,
 * possibly with the container's prefix before it and a suffix after it.
 */
export function queueOf(source: string): RegisteredQueue | undefined {
  const prefix = containerPrefix();
  const isPrefixed = prefix !== undefined && source.startsWith(`${prefix}__`);
  const name = isPrefixed ? source.slice(prefix.length + 2) : source;
  return queues.get(name) ?? registeredQueues().find(isCalled(name)) ?? suffixed(name);
}

/** The queue whose name, with a suffix added, is `name`. If there are several, the one with the longest name. */
function suffixed(name: string): RegisteredQueue | undefined {
  const end = name.lastIndexOf('__');
  if (end < 0) return undefined;
  const shorter = name.slice(0, end) + (isFifoName(name) ? '.fifo' : '');
  return registeredQueues().find(isCalled(shorter)) ?? suffixed(shorter);
}

function isCalled(name: string): (queue: RegisteredQueue) => boolean {
  return (queue) => nameOfUrl(queue.name) === name || queue.deadLetterQueue === name;
}

/** The handling for the current message. Throws FailedAttempt if this process does not have its task. */
export function handlingOf(message: Message): Handling {
  const queue = queueOf(currentMessage().queue);
  const name = taskNameOf(message);
  const handling = name === undefined ? queue?.raw : queue?.tasks.get(name);
  if (handling) return handling;
  // Another consumer may have the task; if none does, the message ends up in the dead-letter queue.
  throw new FailedAttempt(
    new UnknownTaskError(`${describeUnknown(name)} This process serves ${describeTasks()}.`),
  );
}

/** The tasks in this process, for people: `emails.send_email, emails.remind`. */
export function describeTasks(): string {
  const all = registeredQueues().flatMap(({ tasks, raw }) => [...tasks.values(), ...(raw ? [raw] : [])]);
  return all.map(({ description }) => description).join(', ');
}

function describeUnknown(name: string | undefined): string {
  const { queue } = currentMessage();
  return name === undefined
    ? `The message does not name a task (it has no attribute JobName), and the queue "${queue}" has no raw task.`
    : `The queue "${queue}" has no task "${name}".`;
}
