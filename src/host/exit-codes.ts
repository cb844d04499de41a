/** Exit codes, and how an error that ends the program is logged or printed. */
import { inspect } from 'node:util';
import { BrokerConfigError, BrokerError } from '../brokers/errors.ts';
import { ConfigError } from '../config/config-error.ts';
import { UnserializableArgumentError } from '../message/call.ts';
import { printable } from '../message/log-lines.ts';
import { ModuleLoadError } from '../modules/load.ts';
import { isMistake } from '../modules/mistake.ts';
import { Destination, withPriority } from '../observe/logging/destination.ts';
import type { Logger } from '../observe/logging/loggers.ts';
import { StatusServerError } from '../observe/status/status-server-error.ts';
import { isTransientError } from '../worker/errors.ts';
import { WorkerFactoryError } from '../worker/worker.ts';
import { PidFileError } from './pid-file.ts';

/** The exit codes of the executables. They follow BSD's sysexits where those have one. */
export const exitCodes = {
  /** Done, or drained after a signal. */
  done: 0,
  /** Invalid command line. */
  usage: 64,
  /**
   * At start, something external is not available yet: the broker, a queue, something that the worker factory needs, or
   * the status server's address, which another process uses.
   */
  unavailable: 69,
  /** An internal error, or an uncaught exception in a worker. */
  software: 70,
  /** Drained, but a worker did not end even after its signal aborted; or a command did not finish in time. */
  unfinished: 75,
  /** The configuration is invalid, such as the address of an unknown broker: a restart will not help. */
  configuration: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The command line is invalid. The message says why, and refers to `--help`. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(command: string, problem: string) {
    super(`${command}: ${problem}\nSee ${command} --help.`);
  }
}

/** The exit code for an error that ends the program. */
export function exitCodeOf(error: unknown): ExitCode {
  const isUsage =
    error instanceof UsageError ||
    error instanceof UnserializableArgumentError ||
    error instanceof PidFileError;
  if (isUsage) return exitCodes.usage;
  // Something that the factory needs, such as a database, may not be available yet.
  const isUnavailable =
    (error instanceof BrokerError && !(error instanceof BrokerConfigError)) ||
    (error instanceof StatusServerError && error.temporary) ||
    (error instanceof WorkerFactoryError && 'cause' in error && !isMistake(error.cause));
  if (isUnavailable) return exitCodes.unavailable;
  const isConfiguration =
    error instanceof ConfigError ||
    error instanceof BrokerConfigError ||
    error instanceof ModuleLoadError ||
    error instanceof WorkerFactoryError ||
    error instanceof StatusServerError;
  return isConfiguration ? exitCodes.configuration : exitCodes.software;
}

/** Logs the error that ended a container; returns the exit code. */
export function logFatal(error: unknown, log: Pick<Logger, 'error'>): ExitCode {
  const code = exitCodeOf(error);
  if (code === exitCodes.software) {
    log.error('The container failed', error);
  } else {
    const { message, cause } = error as Error;
    // Show the stack of errors from the user's code, except those meant to be one line.
    const hasStack = code === exitCodes.configuration || error instanceof WorkerFactoryError;
    const isOneLine = error instanceof BrokerError || isTransientError(cause);
    log.error(message, hasStack && !isOneLine ? cause : undefined);
  }
  return code;
}

/** Writes an error to standard error; returns the exit code. Only internal errors show a stack. */
export function printFatal(error: unknown): ExitCode {
  const code = exitCodeOf(error);
  const text = code === exitCodes.software ? inspect(error) : (error as Error).message;
  const isJournal = new Destination('STDERR').isJournal(process.env);
  // Text from a broker or an ini file could contain terminal escape sequences.
  const lines = text.split('\n').map(printable).join('\n');
  process.stderr.write(`${isJournal ? withPriority(lines, 'error') : lines}\n`);
  return code;
}
