/**
 * The worker that runs tasks: `worker = sqs-containers/tasks:worker`. It is a worker factory as any other; the containers
 * know nothing of tasks.
 *
 *     [worker]
 *     modules = ./tasks/*.ts
 */

import { loadTracing } from '../observe/tracing/tracing.ts';
import type { WorkerConfig, WorkerContext, WorkerObject } from '../worker/worker.ts';
import { importTasks } from './discover.ts';
import { describeTasks, handlingOf } from './registry.ts';

/** Imports the task modules that `[worker] modules` names, and handles the messages of their tasks. */
export async function worker(config: WorkerConfig, { directory, log }: WorkerContext): Promise<WorkerObject> {
  await Promise.all([importTasks(config.modules, directory), loadTracing()]);
  log.info(`Serving the tasks ${describeTasks()}`);
  return {
    handleMessage: (message) => handlingOf(message).handleMessage(message),
    onTimeout: (error, message) => handlingOf(message).failure(error, message),
  };
}
