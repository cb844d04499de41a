/**
 * A container, put together: loggers, worker, broker and queue, then the run loop, until it has drained.
 * What goes wrong becomes a log line and an exit code.
 */
import { resolve } from 'node:path';
import type { Broker } from '../src/brokers/broker.ts';
import { openBroker } from '../src/brokers/open.ts';
import type { Config } from '../src/config/config.ts';
import { Consumer, type WeightedQueue } from '../src/consumer/consumer.ts';
import type { DrainReport } from '../src/consumer/drain.ts';
import { ConsumerLog } from '../src/operations/consumer-log.ts';
import { type CrashFile, openCrashFile } from '../src/operations/crash-file.ts';
import { crashFolder } from '../src/operations/crash-folder.ts';
import { type Logger, openLoggers } from '../src/operations/logging/loggers.ts';
import { setContainer } from '../src/producer/connections.ts';
import { exitCodeOf } from './error-exit.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { consumerOptions, makeWorker, openQueues } from './from-config.ts';
import { handleProcessEvents } from './process-events.ts';
import type { ParentProcess } from './processes-child.ts';
import { warningsOf } from './warnings.ts';

/** The kinds of container, by the name that their executable has after `sqs-`. */
export type ContainerKind = 'sequential' | 'concurrent';

/**
 * Runs a container until it has drained; resolves to its exit code. `suffix` goes behind the names of its queues;
 * a `parent` gives orders, and has the message limit.
 * Throws ConfigError for logs that cannot be opened.
 */
export async function runContainer(
  kind: ContainerKind,
  config: Config,
  suffix?: string,
  parent?: ParentProcess,
): Promise<ExitCode> {
  const loggers = openLoggers(config.loggers);
  const log = loggers.get(kind);
  let broker: Broker | undefined;
  try {
    if (!parent) for (const warning of warningsOf(config, suffix, process.env)) log.warn(warning);
    broker = await openBroker(config.container.broker, { directory: config.directory, sqs: config.sqs });
    setContainer({ broker, prefix: config.container.queuePrefix });
    const worker = await makeWorker(config, log);
    const queues = await openQueues(broker, config, suffix);
    const consumerLog = new ConsumerLog(loggers, log);
    const options = await consumerOptions(kind, broker, config);
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
    );
    const steering = {
      log,
      stop: () => consumer.stop(),
      wake: () => consumer.wake(),
      reopenLogs: () => loggers.reopen(),
      ignoreInterrupt: parent !== undefined,
    };
    const events = handleProcessEvents(steering);
    parent?.obey({ ...steering, allow: (messages) => consumer.allow(messages) }, config.container.maxMemory);
    // Whoever reads this may send signals from now on.
    log.info(`Connected to ${broker.description}, ${describeQueues(queues)}`);
    parent?.report({ type: 'ready' });
    const report = await consumer.run().finally(() => events.end());
    log.info(describeDrain(report));
    if (consumer.idle) parent?.report({ type: 'idle' });
    // What runs in a process that broke is what may have broken it: the record stays.
    if (events.broken) return exitCodes.software;
    crashRecord?.close();
    return report.unfinished > 0 ? exitCodes.unfinished : exitCodes.done;
  } catch (error) {
    return explain(error, log);
  } finally {
    parent?.end();
    setContainer(undefined);
    await broker?.close();
    loggers.close();
  }
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

function describeQueues(queues: readonly WeightedQueue[]): string {
  const names = queues.map(({ queue, weight }) => `"${queue.name}"${weight === 1 ? '' : `*${weight}`}`);
  return `${names.length === 1 ? 'queue' : 'queues'} ${names.join(', ')}`;
}

function describeDrain({ held, finished, released, confirmed, mayRepeat, unfinished }: DrainReport): string {
  const summary = `Drained: held ${held}, finished ${finished}, released ${released}, deletes confirmed ${confirmed}, may repeat ${mayRepeat}`;
  return unfinished > 0 ? `${summary}; ${unfinished} workers did not end` : summary;
}

/** Logs what ended the container, and says with which exit code. */
function explain(error: unknown, log: Logger): ExitCode {
  const code = exitCodeOf(error);
  if (code === exitCodes.software) {
    log.error('The container failed', error);
  } else {
    const { message, cause } = error as Error;
    log.error(message, code === exitCodes.configuration ? cause : undefined);
  }
  return code;
}
