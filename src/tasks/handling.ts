/** Which task a message is for, of those that this process has. */
import type { Message } from '../brokers/broker.ts';
import { currentMessage } from '../worker/current-message.ts';
import { FailedAttempt } from '../worker/errors.ts';
import { UnknownTaskError } from './errors.ts';
import { type Handling, queueOf, registeredQueues } from './registry.ts';
import { taskNameOf } from './wire.ts';

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
