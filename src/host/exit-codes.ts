/** How a program ends: its exit code, and what is said about the error that ended it. */
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

/** The exit codes of the executables, after BSD's sysexits where it has one. */
export const exitCodes = {
  /** Done, or drained after a signal. */
  done: 0,
  /** Wrong usage of the command line. */
  usage: 64,
  /**
   * At start, something outside is not there yet: the broker, the queue, what the worker factory needs, or the address of
   * the status server, which another process has.
   */
  unavailable: 69,
  /** A defect: of this program, or of a worker that broke the process. */
  software: 70,
  /** Drained, but a worker did not end even after its signal had aborted; or a command was not done in time. */
  unfinished: 75,
  /** The configuration is wrong, such as an address that names no broker: starting again will not help. */
  configuration: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command line that is wrong. The message says how, and where to learn more. */
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
  // What the factory needs, such as a database, may not be there yet.
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

/** Logs what ended a container; returns its exit code. */
export function logFatal(error: unknown, log: Pick<Logger, 'error'>): ExitCode {
  const code = exitCodeOf(error);
  if (code === exitCodes.software) {
    log.error('The container failed', error);
  } else {
    const { message, cause } = error as Error;
    // The stack of what code of the user's threw, unless it was thrown to be one line.
    const hasStack = code === exitCodes.configuration || error instanceof WorkerFactoryError;
    const isOneLine = error instanceof BrokerError || isTransientError(cause);
    log.error(message, hasStack && !isOneLine ? cause : undefined);
  }
  return code;
}

/** Writes an error to standard error; returns its exit code. Only a defect has a stack. */
export function printFatal(error: unknown): ExitCode {
  const code = exitCodeOf(error);
  const text = code === exitCodes.software ? inspect(error) : (error as Error).message;
  const isJournal = new Destination('STDERR').isJournal(process.env);
  // What a broker answers or an ini file has in it may be meant for the terminal.
  const lines = text.split('\n').map(printable).join('\n');
  process.stderr.write(`${isJournal ? withPriority(lines, 'error') : lines}\n`);
  return code;
}
