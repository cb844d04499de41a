/**
 * The worker that runs tasks: `worker = sqs-containers/tasks:worker`. It is a worker factory like any other; containers
 * know nothing about tasks.
 *
 *     [worker]
 *     modules = ./tasks/*.ts
 */

import { loadTracing } from '../observe/tracing/tracing.ts';
import type { WorkerConfig, WorkerContext, WorkerObject } from '../worker/worker.ts';
import { importTasks } from './discover.ts';
import { describeTasks, handlingOf } from './registry.ts';

/** Imports the task modules named in `[worker] modules`, and handles messages for their tasks. */
export async function worker(config: WorkerConfig, { directory, log }: WorkerContext): Promise<WorkerObject> {
  await Promise.all([importTasks(config.modules, directory), loadTracing()]);
  log.info(`Serving the tasks ${describeTasks()}`);
  return {
    handleMessage: (message) => handlingOf(message).handleMessage(message),
    onTimeout: (error, message) => handlingOf(message).failure(error, message),
  };
}
