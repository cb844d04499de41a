/** What errors mean for the one who started the program: an exit code, and a message where there is no log yet. */
import { inspect } from 'node:util';
import { BrokerError } from '../brokers/errors.ts';
import { ConfigError } from '../config/config-error.ts';
import { PidFileError } from '../host/daemon/pid-file.ts';
import { UnserializableArgumentError } from '../message/call.ts';
import { printable } from '../message/printable.ts';
import { ModuleLoadError } from '../modules/load.ts';
import { Destination } from '../observe/logging/destination.ts';
import { withPriority } from '../observe/logging/journal.ts';
import type { Logger } from '../observe/logging/loggers.ts';
import { StatusServerError } from '../observe/status/errors.ts';
import { isTransientError } from '../worker/errors.ts';
import { WorkerFactoryError } from '../worker/worker.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

/** The exit code for an error that ends the program. */
export function exitCodeOf(error: unknown): ExitCode {
  const isUsage =
    error instanceof UsageError ||
    error instanceof UnserializableArgumentError ||
    error instanceof PidFileError;
  if (isUsage) return exitCodes.usage;
  if (error instanceof BrokerError) return exitCodes.unavailable;
  if (error instanceof StatusServerError && error.temporary) return exitCodes.unavailable;
  // The factory's own word that starting again may help.
  if (error instanceof WorkerFactoryError && isTransientError(error.cause)) return exitCodes.unavailable;
  const isConfiguration =
    error instanceof ConfigError ||
    error instanceof ModuleLoadError ||
    error instanceof WorkerFactoryError ||
    error instanceof StatusServerError;
  return isConfiguration ? exitCodes.configuration : exitCodes.software;
}

/** Logs what ended a container; returns its exit code. */
export function explain(error: unknown, log: Logger): ExitCode {
  const code = exitCodeOf(error);
  if (code === exitCodes.software) {
    log.error('The container failed', error);
  } else {
    const { message, cause } = error as Error;
    log.error(message, code === exitCodes.configuration ? cause : undefined);
  }
  return code;
}

/** Writes an error to standard error; returns its exit code. Only a defect has a stack. */
export function complain(error: unknown): ExitCode {
  const code = exitCodeOf(error);
  const text = code === exitCodes.software ? inspect(error) : (error as Error).message;
  const isJournal = new Destination('STDERR').isJournal(process.env);
  // What a broker answers or an ini file has in it may be meant for the terminal.
  const lines = text.split('\n').map(printable).join('\n');
  process.stderr.write(`${isJournal ? withPriority(lines, 'error') : lines}\n`);
  return code;
}
