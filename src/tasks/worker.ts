/**
 * The worker that runs tasks: `worker = sqs-containers/tasks:worker`. It is a worker factory as any other; the containers
 * know nothing of tasks.
 *
 *     [worker]
 *     modules = ./tasks/*.ts
 */
import type { Message } from '../brokers/broker.ts';
import { currentMessage } from '../worker/current-message.ts';
import { FailedAttempt } from '../worker/errors.ts';
import type { WorkerConfig, WorkerContext, WorkerObject } from '../worker/worker.ts';
import { importTasks } from './discover.ts';
import { UnknownTaskError } from './errors.ts';
import { type Handling, queueOf, registeredQueues } from './registry.ts';
import { taskNameOf } from './wire.ts';

/** Imports the task modules that `[worker] modules` names, and handles the messages of their tasks. */
export async function worker(config: WorkerConfig, { directory, log }: WorkerContext): Promise<WorkerObject> {
  await importTasks(config.modules, directory);
  log.info(`Serving the tasks ${describeTasks()}`);
  return { handleMessage: (message) => handlingOf(message).handleMessage(message) };
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

function describeUnknown(name: string | undefined): string {
  const { queue } = currentMessage();
  return name === undefined
    ? `The message names no task (it has no attribute JobName), and the queue "${queue}" has no raw task.`
    : `The queue "${queue}" has no task "${name}".`;
}

function describeTasks(): string {
  const all = registeredQueues().flatMap(({ tasks, raw }) => [...tasks.values(), ...(raw ? [raw] : [])]);
  return all.map(({ description }) => description).join(', ');
}
