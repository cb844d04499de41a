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
import { Metrics } from '../src/operations/metrics/metrics.ts';
import { openService } from '../src/operations/systemd/service.ts';
import { goesOn } from '../src/operations/systemd/watchdog.ts';
import { setContainer } from '../src/producer/connections.ts';
import { explain } from './error-exit.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { consumerOptions, makeWorker, openQueues } from './from-config.ts';
import { handleProcessEvents } from './process-events.ts';
import type { ParentProcess } from './processes-child.ts';
import { warningsOf } from './warnings.ts';
import type { WatchedProcess } from './watched-process.ts';

/** The kinds of container, by the name that their executable has after `sqs-`. */
export type ContainerKind = 'sequential' | 'concurrent';

export interface RunOptions {
  /** Goes behind the names of the queues. */
  readonly suffix?: string | undefined;
  /** Gives orders, and has the message limit. */
  readonly parent?: ParentProcess | undefined;
  /** Called when it takes messages. */
  readonly onReady?: (() => void) | undefined;
}

/**
 * Runs a container until it has drained; resolves to its exit code.
 * Throws ConfigError for logs that cannot be opened.
 */
export async function runContainer(
  kind: ContainerKind,
  config: Config,
  { suffix, parent, onReady }: RunOptions = {},
): Promise<ExitCode> {
  const loggers = openLoggers(config.loggers);
  const log = loggers.get(kind);
  const service = await openService(process.env, log);
  const metrics = new Metrics();
  let broker: Broker | undefined;
  let watched: WatchedProcess | undefined;
  try {
    if (!parent) for (const warning of warningsOf(config, suffix, process.env)) log.warn(warning);
    if (config.http.listen !== undefined) {
      const { WatchedProcess } = await import('./watched-process.ts');
      watched = await WatchedProcess.open({ kind, config, suffix, log }, metrics, parent !== undefined);
    }
    broker = await openBroker(config.container.broker, { directory: config.directory, sqs: config.sqs });
    broker = watched?.counted(broker) ?? broker;
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
      metrics,
    );
    const state = {
      snapshot: () => metrics.snapshot(options.slots, consumer.loads),
      polling: () => goesOn(consumer.state, consumer.loads, options.waitSeconds),
    };
    const steering = {
      log,
      stop: () => {
        service.stopping();
        consumer.stop();
      },
      wake: () => consumer.wake(),
      reopenLogs: () => service.reload(() => loggers.reopen()),
      ignoreInterrupt: parent !== undefined,
    };
    watched?.connected({ consumer, options, broker, queues });
    const events = handleProcessEvents(steering);
    const { maxMemory } = config.container;
    const orders = {
      allow: (messages: number) => consumer.allow(messages),
      pause: () => consumer.pause(),
      resume: () => consumer.resume(),
      state: () => consumer.state,
    };
    parent?.obey({ ...steering, ...state, ...orders }, maxMemory);
    // Whoever reads this may send signals from now on.
    log.info(`Connected to ${broker.description}, ${describeQueues(queues)}`);
    parent?.report({ type: 'ready' });
    service.ready(state);
    onReady?.();
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
    await service.close();
    setContainer(undefined);
    await broker?.close();
    await watched?.close();
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
