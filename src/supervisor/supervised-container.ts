/**
 * A container with several processes, or with one that is replaced when it uses too much memory. The parent forks this
 * executable for each process, with the same arguments; it has no worker and does not consume queues itself.
 */

import { fork } from 'node:child_process';
import type { Config } from '../config/config.ts';
import type { RunOptions } from '../container/container.ts';
import { handleProcessEvents } from '../container/process-events.ts';
import { loggerName, type Program, processCount } from '../container/program.ts';
import { warningsOf } from '../container/warnings.ts';
import { type ExitCode, exitCodes, logFatal } from '../host/exit-codes.ts';
import { realMachine } from '../host/host.ts';
import { openService } from '../host/systemd/service.ts';
import { type Logger, openLoggers } from '../observe/logging/loggers.ts';
import { Metrics } from '../observe/metrics/metrics.ts';
import { ChildReports } from './child-reports.ts';
import { CHILD_VARIABLE, type Order, type Report } from './parent-process.ts';
import type { ProcessEnd } from './respawn.ts';
import { type Child, Supervisor } from './supervisor.ts';
import type { SupervisorStatusSource } from './supervisor-status-source.ts';

/**
 * Runs the processes of a container until all have drained; resolves to one exit code for all. `suffix` is appended to
 * the queue names; `onReady` is called whenever a process is ready to receive messages.
 * Throws ConfigError if a log file cannot be opened.
 */
export async function runSupervisedContainer(
  program: Program,
  config: Config,
  { suffix, onReady }: Pick<RunOptions, 'suffix' | 'onReady'> = {},
): Promise<ExitCode> {
  const loggers = openLoggers(config.loggers);
  const log = loggers.get(loggerName(program));
  for (const warning of warningsOf(config, suffix, process.env)) log.warn(warning);
  const service = await openService(process.env, log);
  const metrics = new Metrics();
  const reports = new ChildReports(() => metrics.snapshot(0, []));
  const supervisor = supervise(config, log, reports, () => {
    const { snapshot, polling } = reports;
    service.ready({ snapshot, polling, state: () => supervisor.state });
    onReady?.();
  });
  const events = handleProcessEvents({
    log,
    stop: () => {
      service.stopping();
      supervisor.stop();
    },
    wake: () => supervisor.order({ type: 'wake' }),
    reopenLogs: () =>
      service.reload(() => {
        loggers.reopen();
        supervisor.order({ type: 'reopenLogs' });
      }),
  });
  const killAll = () => supervisor.kill();
  process.on('exit', killAll);
  let status: SupervisorStatusSource | undefined;
  try {
    if (config.http.listen !== undefined) {
      const { SupervisorStatusSource } = await import('./supervisor-status-source.ts');
      const subject = { program, config, suffix, log };
      status = await SupervisorStatusSource.open(subject, { supervisor, reports, metrics });
    }
    const code = await supervisor.run();
    return events.broken ? exitCodes.software : code;
  } catch (error) {
    return logFatal(error, log);
  } finally {
    process.off('exit', killAll);
    events.end();
    await service.close();
    await status?.close();
    loggers.close();
  }
}

/** Creates a supervisor that also feeds `reports`. `onReady` is called whenever a process is ready. */
function supervise(config: Config, log: Logger, reports: ChildReports, onReady: () => void): Supervisor {
  const { concurrency, messageLimit, maxMemory } = config.container;
  return new Supervisor({
    machine: realMachine,
    count: processCount(config),
    concurrency,
    messageLimit,
    maxMemory,
    log,
    fork: (number, onReport, onEnd) => {
      const { started, reported, ended } = reports.child(number);
      const child = forkChild(
        number,
        (report) => {
          reported(report);
          onReport(report);
          if (report.type === 'ready') onReady();
        },
        (end) => {
          ended();
          onEnd(end);
        },
      );
      if (child.pid !== undefined) started(child.pid);
      return child;
    },
  });
}

function forkChild(
  number: number,
  onReport: (report: Report) => void,
  onEnd: (end: ProcessEnd) => void,
): Child {
  const [, script = '', ...args] = process.argv;
  const child = fork(script, args, { env: { ...process.env, [CHILD_VARIABLE]: String(number) } });
  child.on('message', (report: Report) => onReport(report));
  // 'close' comes after the last message; 'exit' may come before it.
  child.on('close', (code, signal) => {
    if (child.pid !== undefined) onEnd({ code, signal });
  });
  child.on('error', (error) => {
    if (child.pid === undefined) onEnd({ error });
  });
  return {
    pid: child.pid,
    order: (order: Order) => {
      if (child.connected) child.send(order, () => {});
    },
    kill: (signal) => {
      child.kill(signal);
    },
  };
}
