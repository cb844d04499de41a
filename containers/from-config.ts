/** What the settings of an ini file mean for the worker and for the run loop. */
import type { Config } from '../src/config/config.ts';
import type { ConsumerOptions } from '../src/consumer/consumer.ts';
import { loadExpression } from '../src/worker/load.ts';
import { createWorker, type Worker } from '../src/worker/worker.ts';

/** Imports what `worker` names and makes the worker. Throws WorkerLoadError, WorkerFactoryError. */
export async function makeWorker({ container, directory, worker }: Config): Promise<Worker> {
  return createWorker(await loadExpression(container.worker, directory), worker, container.worker);
}

/** The options of the run loop. */
export function consumerOptions({ container }: Config): ConsumerOptions {
  const { poll, settleDelay, onError, drainTimeout, visibilityTimeout, messageLimit, idleExit } = container;
  return {
    slots: 1,
    waitSeconds: poll,
    settleDelayMs: settleDelay,
    onError,
    drainTimeout,
    ...(visibilityTimeout !== undefined && { visibilityTimeout }),
    ...(messageLimit !== undefined && { messageLimit }),
    ...(idleExit !== undefined && { idleExit }),
  };
}
