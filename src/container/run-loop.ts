/** Builds a container's run loop from its settings: worker, queues, logging, metrics and crash record. */
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
  /** To be closed at the end, except after an uncaught exception: its marks then have to stay. */
  readonly crashRecord: CrashFile | undefined;
}

export interface RunLoopParts {
  readonly broker: Broker;
  /** Appended to the queue names. */
  readonly suffix: string | undefined;
  /** Owns the message limit; gets a report for every finished message. */
  readonly parent: ParentProcess | undefined;
  readonly loggers: Loggers;
  /** The container's own log, from `loggers`. */
  readonly log: Logger;
  /** Undefined if nothing reads the metrics. */
  readonly metrics: Metrics | undefined;
}

/**
 * Creates the worker, opens the queues, and builds the run loop.
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

/** Opens the file that marks running messages, to break crash loops. If that fails, the container runs without it. */
function openCrashRecord(
  file: string,
  { crashLimit, concurrency }: ConsumerSettings,
  log: Logger,
): CrashFile | undefined {
  if (crashLimit === 0) return undefined;
  try {
    return openCrashFile({ folder: crashFolder(), container: resolve(file), slots: concurrency });
  } catch (error) {
    log.warn(`Crash marks cannot be written, so crash_limit has no effect: ${(error as Error).message}`);
    return undefined;
  }
}
