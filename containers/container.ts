/**
 * A container, put together: loggers, worker, broker and queue, then the run loop, until it has drained.
 * What goes wrong at start becomes a log line and an exit code.
 */

import type { Broker, Queue } from '../src/brokers/broker.ts';
import { BrokerError } from '../src/brokers/errors.ts';
import { openBroker } from '../src/brokers/open.ts';
import type { Config } from '../src/config/config.ts';
import { Consumer } from '../src/consumer/consumer.ts';
import type { DrainReport } from '../src/consumer/drain.ts';
import { ConsumerLog } from '../src/operations/consumer-log.ts';
import { type Logger, type Loggers, openLoggers } from '../src/operations/logging/loggers.ts';
import { isTransientError } from '../src/worker/errors.ts';
import { loadExpression, WorkerLoadError } from '../src/worker/load.ts';
import { createWorker, type Worker, WorkerFactoryError } from '../src/worker/worker.ts';
import { exitCodes } from './exit-codes.ts';
import { handleSignals } from './signals.ts';

/** What the command line may override. */
export interface Overrides {
  readonly messageLimit?: number;
  readonly idleExit?: number;
}

/** Runs a container until it has drained; resolves to its exit code. Throws ConfigError for loggers that cannot be opened. */
export async function runContainer(
  kind: 'sequential',
  config: Config,
  overrides: Overrides,
): Promise<number> {
  const loggers = openLoggers(config.loggers);
  const log = loggers.get(kind);
  try {
    return await new Container(config, overrides, loggers, log).run();
  } catch (error) {
    return exitCodeOf(error, log);
  } finally {
    loggers.close();
  }
}

/** Imports what `worker` names, without calling it. Throws WorkerLoadError. */
export function findWorker(config: Config): Promise<unknown> {
  return loadExpression(config.container.worker, config.directory);
}
