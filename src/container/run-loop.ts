/** The run loop of a container, made from its settings: the queues and the worker, with what is logged and written down. */
import { resolve } from 'node:path';
import type { Broker } from '../brokers/broker.ts';
import type { Config } from '../config/config.ts';
import { Consumer, type ConsumerSettings } from '../consumer/consumer.ts';
import { type CrashFile, openCrashFile } from '../host/crashes/crash-file.ts';
import { crashFolder } from '../host/crashes/crash-folder.ts';
import { realHost } from '../host/host.ts';
import { ConsumerLog } from '../observe/logging/consumer-log.ts';
import type { Logger, Loggers } from '../observe/logging/loggers.ts';
import type { Metrics } from '../observe/metrics/metrics.ts';
import type { ParentProcess } from '../supervisor/parent-process.ts';
import { makeWorker } from '../worker/worker.ts';

export interface RunLoop {
  readonly consumer: Consumer;
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
  const { container: settings } = config;
  const consumerLog = new ConsumerLog(loggers, log);
  const crashRecord = openCrashRecord(config.file, settings, log);
  const sharesMessageLimit = parent !== undefined && settings.messageLimit !== undefined;
  const opening = Consumer.open(realHost(broker), settings, {
    ...{ worker, suffix, crashRecord, sharesMessageLimit },
    logOf: (held) => consumerLog.logOf(held),
    observers: [
      consumerLog,
      ...(metrics ? [metrics] : []),
      ...(sharesMessageLimit ? [{ done: () => parent.report({ type: 'done' }) }] : []),
    ],
  });
  try {
    return { consumer: await opening, crashRecord };
  } catch (error) {
    crashRecord?.close();
    throw error;
  }
}

/** Where the container writes down what it runs, to break a crash loop; it works without, too. */
function openCrashRecord(
  file: string,
  { crashLimit, concurrency }: ConsumerSettings,
  log: Logger,
): CrashFile | undefined {
  if (crashLimit === 0) return undefined;
  try {
    return openCrashFile({ folder: crashFolder(), container: resolve(file), slots: concurrency });
  } catch (error) {
    log.warn(`Messages that end the process will not be recognised: ${(error as Error).message}`);
    return undefined;
  }
}
