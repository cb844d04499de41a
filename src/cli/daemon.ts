/** What `--daemonize` and `--stop` do: start a container in the background, and end it. */
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { loggerName, type Program } from '../container/program.ts';
import { daemonLog, startDaemon } from '../host/daemon/daemon.ts';
import { stopProcess } from '../host/daemon/stop.ts';
import { stopSeconds } from '../host/stop-seconds.ts';
import { openLoggers } from '../observe/logging/loggers.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

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
