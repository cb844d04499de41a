/** What errors mean for the one who started the program: an exit code, and a message where there is no log yet. */
import { inspect } from 'node:util';
import { BrokerError } from '../src/brokers/errors.ts';
import { ConfigError } from '../src/config/errors.ts';
import { UnserializableArgumentError } from '../src/message/call.ts';
import { isTransientError } from '../src/worker/errors.ts';
import { WorkerLoadError } from '../src/worker/load.ts';
import { WorkerFactoryError } from '../src/worker/worker.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

/** The exit code for an error that ends the program. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError || error instanceof UnserializableArgumentError) return exitCodes.usage;
  if (error instanceof BrokerError) return exitCodes.unavailable;
  // The factory's own word that starting again may help.
  if (error instanceof WorkerFactoryError && isTransientError(error.cause)) return exitCodes.unavailable;
  const isConfiguration =
    error instanceof ConfigError || error instanceof WorkerLoadError || error instanceof WorkerFactoryError;
  return isConfiguration ? exitCodes.configuration : exitCodes.software;
}

/** Writes an error to standard error; returns its exit code. Only a defect has a stack. */
export function complain(error: unknown): ExitCode {
  const code = exitCodeOf(error);
  process.stderr.write(`${code === exitCodes.software ? inspect(error) : (error as Error).message}\n`);
  return code;
}
