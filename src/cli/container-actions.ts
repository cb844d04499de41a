/**
 * The other actions of the container executables: check an ini file, print a systemd unit, start a container in the
 * background, and stop it. Loaded only when needed.
 */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { brokerKind } from '../brokers/address.ts';
import { loadBrokerFactory } from '../brokers/custom.ts';
import type { Config } from '../config/config.ts';
import { describeConfig } from '../config/describe.ts';
import { loggerName, type Program } from '../container/program.ts';
import { daemonLog, startDaemon, stopProcess } from '../host/daemon.ts';
import { type ExitCode, exitCodes, UsageError } from '../host/exit-codes.ts';
import { stopSeconds, systemdUnit } from '../host/systemd/unit.ts';
import { loadExpression } from '../modules/load.ts';
import { checkFactory } from '../worker/worker.ts';
import type { ContainerArguments } from './container-arguments.ts';

/**
 * Checks everything that can be checked without creating a worker or opening a broker; resolves to the resolved settings,
 * as text. Throws ModuleLoadError, WorkerFactoryError, BrokerError.
 */
export async function checkedSettings(config: Config): Promise<string> {
  const { worker, broker } = config.container;
  checkFactory(await loadExpression(worker, config.directory), worker);
  if (brokerKind(broker) === 'custom') await loadBrokerFactory(broker, config.directory);
  return describeConfig(config);
}

/** The text of a systemd unit that runs this installation with this ini file; with `template`, of a unit template. */
export async function unitText(
  program: Program,
  config: Config,
  { queues, suffix, overrides }: ContainerArguments,
  template: boolean,
): Promise<string> {
  const { messageLimit, idleExit } = overrides;
  const options = [
    ...queues.map((name) => `--queue=${name}`),
    ...(suffix === undefined ? [] : [`--suffix=${suffix}`]),
    ...(messageLimit === undefined ? [] : [`--message-limit=${messageLimit}`]),
    ...(idleExit === undefined ? [] : [`--idle-exit=${idleExit}`]),
  ];
  return systemdUnit({
    name: program,
    command: [process.execPath, resolve(process.argv[1] ?? ''), ...options],
    config,
    template,
    user: userInfo().username,
    sendsDatagrams: await hasKoffi(),
  });
}

/**
 * Starts this program again in the background. Resolves to 0 once that process is ready. If it exits before that,
 * resolves to its exit code, and copies what it logged to standard error.
 * Throws UsageError if it would have no log file, ConfigError if a log file cannot be opened.
 */
export async function daemonize(program: Program, config: Config): Promise<ExitCode> {
  const logFile = daemonLog(config.loggers, loggerName(program));
  if (logFile === undefined) {
    throw new UsageError(
      program,
      `--daemonize: ${config.file} logs to the terminal, which a daemon does not have; set a log file, such as [logger] path = worker.log.`,
    );
  }
  // Imported here, because winston is slow to load, and the other actions do not log.
  const { openLoggers } = await import('../observe/logging/loggers.ts');
  // Errors are still visible here. It also creates the files, with the right mode.
  openLoggers(config.loggers).close();
  const start = await startDaemon(logFile);
  if (start.ready) {
    process.stdout.write(`Process ${start.pid} is running in the background and logs to ${logFile}\n`);
    return exitCodes.done;
  }
  const { exitCode, signal, output } = start;
  process.stderr.write(output);
  if (exitCode === exitCodes.done) return exitCodes.done;
  process.stderr.write(
    `The daemon failed to start: ${signal ? `killed by ${signal}` : `exit code ${exitCode}`}\n`,
  );
  // The daemon is this same program, so it has the same exit codes.
  return (exitCode ?? exitCodes.software) as ExitCode;
}

/** Stops the process of a pid file, and waits for as long as its drain may take. Throws PidFileError. */
export async function stop(pidFile: string, { container }: Config): Promise<ExitCode> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const hasExited = await stopProcess(resolve(pidFile), stopSeconds(container.drainTimeout), say);
  return hasExited ? exitCodes.done : exitCodes.unfinished;
}

async function hasKoffi(): Promise<boolean> {
  try {
    await import('koffi');
    return true;
  } catch {
    return false;
  }
}
