/**
 * What the container executables do besides running a container: check an ini file, print a systemd unit, start a container
 * in the background and end it. Loaded only when asked for.
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
 * Looks at everything that can be looked at without making a worker or opening a broker; resolves to the settings as they
 * are understood. Throws ModuleLoadError, WorkerFactoryError, BrokerError.
 */
export async function checkedSettings(config: Config): Promise<string> {
  const { worker, broker } = config.container;
  checkFactory(await loadExpression(worker, config.directory), worker);
  if (brokerKind(broker) === 'custom') await loadBrokerFactory(broker, config.directory);
  return describeConfig(config);
}

/** The text of a systemd unit for this ini file, and for the program as it is installed here; `template`: of one for many ini files. */
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
 * Starts this program again in the background. Resolves to 0 when that takes messages; to its exit code if it ended before,
 * and writes to standard error what it has logged.
 * Throws UsageError if it would have no log, ConfigError for logs that cannot be opened.
 */
export async function daemonize(program: Program, config: Config): Promise<ExitCode> {
  const logFile = daemonLog(config.loggers, loggerName(program));
  if (logFile === undefined) {
    throw new UsageError(
      program,
      `--daemonize: ${config.file} sends the log to the terminal, which a daemon does not have; name a file in it, such as [logger] path = worker.log.`,
    );
  }
  // Loaded here, because winston takes a while, and the other actions have no log.
  const { openLoggers } = await import('../observe/logging/loggers.ts');
  // Here its errors can be seen; and it makes the files, with the right mode.
  openLoggers(config.loggers).close();
  const start = await startDaemon(logFile);
  if (start.ready) {
    process.stdout.write(`Process ${start.pid} runs in the background; its log is ${logFile}\n`);
    return exitCodes.done;
  }
  const { exitCode, signal, output } = start;
  process.stderr.write(output);
  if (exitCode === exitCodes.done) return exitCodes.done;
  process.stderr.write(
    `The daemon did not start: ${signal ? `killed by ${signal}` : `exit code ${exitCode}`}\n`,
  );
  // It is this program, and has its exit codes.
  return (exitCode ?? exitCodes.software) as ExitCode;
}

/** Ends the process that holds a pid file, and waits for it as long as its drain may take. Throws PidFileError. */
export async function stop(pidFile: string, { container }: Config): Promise<ExitCode> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const hasEnded = await stopProcess(resolve(pidFile), stopSeconds(container.drainTimeout), say);
  return hasEnded ? exitCodes.done : exitCodes.unfinished;
}

async function hasKoffi(): Promise<boolean> {
  try {
    await import('koffi');
    return true;
  } catch {
    return false;
  }
}
