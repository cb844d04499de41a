/** The run loop of a container, made from its settings: the queues and the worker, with what is logged and written down. */
import { resolve } from 'node:path';
import type { Broker } from '../brokers/broker.ts';
import type { Config } from '../config/config.ts';
import { Consumer, type ConsumerOptions, type WeightedQueue } from '../consumer/consumer.ts';
import { type CrashFile, openCrashFile } from '../host/crashes/crash-file.ts';
import { crashFolder } from '../host/crashes/crash-folder.ts';
import { ConsumerLog } from '../observe/logging/consumer-log.ts';
import type { Logger, Loggers } from '../observe/logging/loggers.ts';
import type { Metrics } from '../observe/metrics/metrics.ts';
import type { ParentProcess } from '../supervisor/child.ts';
import { consumerOptions, makeWorker, openQueues } from './from-config.ts';

export interface RunLoop {
  readonly consumer: Consumer;
  /** From the ini file. */
  readonly options: ConsumerOptions;
  readonly queues: readonly WeightedQueue[];
  /** To be closed at the end, unless what it has may have ended the process. */
  readonly crashRecord: CrashFile | undefined;
}

export interface RunLoopParts {
  readonly broker: Broker;
  /** Goes behind the names of the queues. */
  readonly suffix: string | undefined;
  /** Has the message limit, and is told what is done. */
  readonly parent: ParentProcess | undefined;
  readonly loggers: Loggers;
  /** The container's own, of `loggers`. */
  readonly log: Logger;
  /** Undefined: nobody reads what is counted, so nothing is. */
  readonly metrics: Metrics | undefined;
}

/**
 * Makes the worker, opens the queues, and puts the run loop together.
 * Throws ModuleLoadError, WorkerFactoryError, QueueNotFoundError, BrokerError.
 */
export async function makeRunLoop(
  config: Config,
  { broker, suffix, parent, loggers, log, metrics }: RunLoopParts,
): Promise<RunLoop> {
  const worker = await makeWorker(config, log);
  const queues = await openQueues(broker, config, suffix);
  const consumerLog = new ConsumerLog(loggers, log);
  const options = await consumerOptions(broker, config);
  const crashRecord = openCrashRecord(config, options.slots, log);
  const consumer = new Consumer(
    queues,
    worker,
    {
      ...options,
      ...(crashRecord && { crashRecord }),
      ...(parent &&
        options.messageLimit !== undefined && {
          messageLimit: 'shared',
          onDone: () => parent.report({ type: 'done' }),
        }),
      logOf: (delivery) => consumerLog.logOf(delivery),
    },
    consumerLog,
    ...(metrics ? [metrics] : []),
  );
  return { consumer, options, queues, crashRecord };
}

/** Where the container writes down what it runs, to break a crash loop; it works without, too. */
function openCrashRecord({ file, container }: Config, slots: number, log: Logger): CrashFile | undefined {
  if (container.crashLimit === 0) return undefined;
  try {
    return openCrashFile({ folder: crashFolder(), container: resolve(file), slots });
  } catch (error) {
    log.warn(`Messages that end the process will not be recognised: ${(error as Error).message}`);
    return undefined;
  }
}
