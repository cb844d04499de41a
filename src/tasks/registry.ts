/** The tasks of this process, by queue, and which of them a message is for: filled when the modules that define them are imported. */
import type { Message } from '../brokers/broker.ts';
import { isFifoName, nameOfUrl } from '../brokers/rules/queue-name.ts';
import { brand } from '../modules/brand.ts';
import { containerPrefix } from '../producer/connections.ts';
import { currentMessage } from '../worker/current-message.ts';
import { FailedAttempt } from '../worker/errors.ts';
import { taskNameOf } from './wire.ts';

/** The queue has no task of this name in this process. */
export class UnknownTaskError extends Error {
  static {
    brand(UnknownTaskError, 'UnknownTaskError');
  }
  override readonly name = 'UnknownTaskError';
}

/** What the tasks worker calls for a message. */
export interface Handling {
  /** For people: `emails.send_email`. */
  readonly description: string;
  /** `atOnce`: without waiting for other messages, or for the limits of the task. */
  handleMessage(message: Message, atOnce?: boolean): void | Promise<void>;
  /** What the run loop is to make of an error. */
  failure(error: unknown, message: Message): Error;
}

/** A queue that has tasks. */
export interface RegisteredQueue {
  readonly name: string;
  /** Its messages may come from there, too. */
  deadLetterQueue: string | undefined;
  /** By task name. */
  readonly tasks: Map<string, Handling>;
  /** For messages that are no tasks. */
  raw: Handling | undefined;
}

/** One registry for every copy of the package in a process: the container and the application may load different ones. */
const key = Symbol.for('sqs-containers.tasks');
const holder = globalThis as { [key]?: Map<string, RegisteredQueue> };
holder[key] ??= new Map();
const queues = holder[key];

/** The queue of this name, registered if it is not yet. */
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
 * The registered queue whose messages come from `source`, the full name of a queue: its own name, or that of its
 * dead-letter queue, with the prefix of the container before it and maybe a suffix behind it.
 */
export function queueOf(source: string): RegisteredQueue | undefined {
  const prefix = containerPrefix();
  const isPrefixed = prefix !== undefined && source.startsWith(`${prefix}__`);
  const name = isPrefixed ? source.slice(prefix.length + 2) : source;
  return queues.get(name) ?? registeredQueues().find(isCalled(name)) ?? suffixed(name);
}

/** Of the queues to whose name a suffix was added, the one with the longest name. */
function suffixed(name: string): RegisteredQueue | undefined {
  const end = name.lastIndexOf('__');
  if (end < 0) return undefined;
  const shorter = name.slice(0, end) + (isFifoName(name) ? '.fifo' : '');
  return registeredQueues().find(isCalled(shorter)) ?? suffixed(shorter);
}

function isCalled(name: string): (queue: RegisteredQueue) => boolean {
  return (queue) => nameOfUrl(queue.name) === name || queue.deadLetterQueue === name;
}

/** What handles the current message. Throws FailedAttempt if this process has no such task. */
export function handlingOf(message: Message): Handling {
  const queue = queueOf(currentMessage().queue);
  const name = taskNameOf(message);
  const handling = name === undefined ? queue?.raw : queue?.tasks.get(name);
  if (handling) return handling;
  // Another consumer may know it; if none does, the message ends in the dead-letter queue.
  throw new FailedAttempt(new UnknownTaskError(`${describeUnknown(name)} Served: ${describeTasks()}.`));
}

/** The tasks of this process, for people: `emails.send_email, emails.remind`. */
export function describeTasks(): string {
  const all = registeredQueues().flatMap(({ tasks, raw }) => [...tasks.values(), ...(raw ? [raw] : [])]);
  return all.map(({ description }) => description).join(', ');
}

function describeUnknown(name: string | undefined): string {
  const { queue } = currentMessage();
  return name === undefined
    ? `The message names no task (it has no attribute JobName), and the queue "${queue}" has no raw task.`
    : `The queue "${queue}" has no task "${name}".`;
}
