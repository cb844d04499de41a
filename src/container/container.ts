/**
 * A container, from start to exit code: opens loggers and broker, builds the run loop, connects it to signals, the
 * parent process and systemd, and runs it until it has drained. Errors become a log line and an exit code.
 */
import type { Broker } from '../brokers/broker.ts';
import { openBroker } from '../brokers/open.ts';
import type { Config } from '../config/config.ts';
import type { WeightedQueue } from '../consumer/consumer.ts';
import type { DrainReport } from '../consumer/drain.ts';
import { type ExitCode, exitCodes, logFatal } from '../host/exit-codes.ts';
import { isPolling, openService, type Service } from '../host/systemd/service.ts';
import { type Logger, type Loggers, openLoggers } from '../observe/logging/loggers.ts';
import { Metrics } from '../observe/metrics/metrics.ts';
import { setContainer } from '../producer/connections.ts';
import type { ChildControls, ParentProcess } from '../supervisor/parent-process.ts';
import type { ContainerStatusSource } from './container-status-source.ts';
import { handleProcessEvents } from './process-events.ts';
import { loggerName, type Program } from './program.ts';
import { makeRunLoop, type RunLoop } from './run-loop.ts';
import { warningsOf } from './warnings.ts';

export interface RunOptions {
  /** Appended to the queue names. */
  readonly suffix?: string | undefined;
  /** Sends orders, and owns the message limit. */
  readonly parent?: ParentProcess | undefined;
  /** Called once the container receives messages. */
  readonly onReady?: (() => void) | undefined;
}

/**
 * Runs a container with the program's settings until it has drained; resolves to its exit code.
 * Throws ConfigError if a log file cannot be opened.
 */
export async function runContainer(
  program: Program,
  config: Config,
  { suffix, parent, onReady }: RunOptions = {},
): Promise<ExitCode> {
  const loggers = openLoggers(config.loggers);
  const log = loggers.get(loggerName(program));
  const service = await openService(process.env, log);
  const metrics = new Metrics();
  let broker: Broker | undefined;
  let status: ContainerStatusSource | undefined;
  try {
    if (!parent) for (const warning of warningsOf(config, suffix, process.env)) log.warn(warning);
    if (config.http.listen !== undefined) {
      const { ContainerStatusSource } = await import('./container-status-source.ts');
      const subject = { program, config, suffix, log };
      status = await ContainerStatusSource.open(subject, metrics, parent !== undefined);
    }
    broker = await openBroker(config.container.broker, { directory: config.directory, sqs: config.sqs });
    broker = status?.counted(broker) ?? broker;
    setContainer({ broker, prefix: config.container.queuePrefix });
    const isCounted = status !== undefined || parent !== undefined || service.isHeard;
    const loop = await makeRunLoop(config, {
      broker,
      suffix,
      parent,
      loggers,
      log,
      metrics: isCounted ? metrics : undefined,
    });
    status?.connected({ consumer: loop.consumer, broker });
    const connected = `Connected to ${broker.description}, ${describeQueues(loop.consumer.queues)}`;
    const { maxMemory } = config.container;
    return await runUntilDrained(loop, {
      log,
      loggers,
      service,
      metrics,
      parent,
      onReady,
      connected,
      maxMemory,
    });
  } catch (error) {
    return logFatal(error, log);
  } finally {
    parent?.end();
    await service.close();
    setContainer(undefined);
    await broker?.close();
    await status?.close();
    loggers.close();
  }
}

/** What controls a running container, and where it reports. */
interface Surroundings extends Pick<RunOptions, 'parent' | 'onReady'> {
  readonly log: Logger;
  readonly loggers: Loggers;
  readonly service: Service;
  readonly metrics: Metrics;
  /** Logged once the container receives messages. */
  readonly connected: string;
  readonly maxMemory: number | undefined;
}

async function runUntilDrained(loop: RunLoop, surroundings: Surroundings): Promise<ExitCode> {
  const { consumer, crashRecord } = loop;
  const { log, service, parent, onReady, connected, maxMemory } = surroundings;
  const controls = controlsOf(loop, surroundings);
  const events = handleProcessEvents(controls);
  parent?.obey(controls, maxMemory);
  // From this line on, the container handles signals.
  log.info(connected);
  parent?.report({ type: 'ready' });
  service.ready(controls);
  onReady?.();
  const report = await consumer.run().finally(() => events.end());
  log.info(describeDrain(report));
  if (consumer.idle) parent?.report({ type: 'idle' });
  // After an uncaught exception, one of the running messages may be the cause: keep their crash marks.
  if (events.broken) return exitCodes.software;
  crashRecord?.close();
  return report.unfinished > 0 ? exitCodes.unfinished : exitCodes.done;
}

/** How signals, the parent process and systemd control and query the run loop. */
function controlsOf(
  { consumer }: RunLoop,
  { log, loggers, service, metrics, parent }: Surroundings,
): ChildControls {
  return {
    log,
    stop: () => {
      service.stopping();
      consumer.stop();
    },
    wake: () => consumer.wake(),
    reopenLogs: () => service.reload(() => loggers.reopen()),
    ignoreInterrupt: parent !== undefined,
    allow: (messages) => consumer.allow(messages),
    pause: () => consumer.pause(),
    resume: () => consumer.resume(),
    state: () => consumer.state,
    snapshot: () => metrics.snapshot(consumer.settings.concurrency, consumer.loads),
    polling: () => isPolling(consumer.state, consumer.loads, consumer.settings.poll),
  };
}

function describeQueues(queues: readonly WeightedQueue[]): string {
  const names = queues.map(({ queue, weight }) => `"${queue.name}"${weight === 1 ? '' : `*${weight}`}`);
  return `${names.length === 1 ? 'queue' : 'queues'} ${names.join(', ')}`;
}

function describeDrain(report: DrainReport): string {
  const count = (name: keyof DrainReport) => report[name].toLocaleString('en-US');
  const summary = `Drained ${count('held')} in progress: ${count('finished')} finished, ${count('returned')} returned, ${count('confirmed')} deletes confirmed, ${count('mayRunAgain')} may run again`;
  return report.unfinished > 0 ? `${summary}; ${count('unfinished')} workers did not end` : summary;
}
