/** The tasks of this process, by queue: filled when the modules that define them are imported. */
import type { Message } from '../brokers/broker.ts';

/** What the tasks worker calls for a message. */
export interface Handling {
  /** For people: `emails.send_email`. */
  readonly description: string;
  handleMessage(message: Message): Promise<void>;
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
 * The registered queue whose messages come from `fullName`: its own name, or that of its dead-letter queue, with the
 * prefix and the suffix that the container may have added.
 */
export function queueOf(fullName: string): RegisteredQueue | undefined {
  const parts = fullName.replace(/\.fifo$/, '').split('__');
  const matches = (name: string | undefined) =>
    name === fullName || (name !== undefined && parts.includes(name.replace(/\.fifo$/, '')));
  return registeredQueues().find(({ name, deadLetterQueue }) => matches(name) || matches(deadLetterQueue));
}
