/**
 * Handles signals and uncaught errors. SIGTERM and SIGINT drain, and a second one exits immediately; SIGHUP reopens the
 * log files; SIGUSR2 ends a pause in polling. An uncaught exception drains, too.
 */
import { constants } from 'node:os';
import type { Logger } from '../observe/logging/loggers.ts';

export interface ProcessControls {
  readonly log: Logger;
  readonly stop: () => void;
  readonly wake: () => void;
  readonly reopenLogs: () => void;
  /** True for a child: the terminal sends SIGINT to parent and children alike, and the parent decides what to do. */
  readonly ignoreInterrupt?: boolean;
}

export interface ProcessEvents {
  /** True after an uncaught exception: the process may be in an inconsistent state. */
  readonly broken: boolean;
  /** Stops listening. */
  end(): void;
}

/** Listens until `end`. */
export function handleProcessEvents({
  log,
  stop,
  wake,
  reopenLogs,
  ignoreInterrupt = false,
}: ProcessControls): ProcessEvents {
  let stopping = false;
  let broken = false;

  const drain = (signal: NodeJS.Signals) => {
    if (stopping) {
      log.warn(
        `${signal} again: exiting immediately; messages in progress become visible again when their visibility timeout ends`,
      );
      process.exit(128 + constants.signals[signal]);
    }
    stopping = true;
    log.info(`${signal}: draining`);
    stop();
  };
  const listeners = {
    SIGTERM: drain,
    SIGINT: ignoreInterrupt ? () => {} : drain,
    SIGHUP: () => {
      reopenLogs();
      log.info('SIGHUP: reopened log files');
    },
    SIGUSR2: wake,
    // A promise that a worker forgot to await does not affect other messages.
    unhandledRejection: (reason: unknown) => log.error('Unhandled promise rejection', reason),
    uncaughtException: (error: Error) => {
      log.error('Uncaught exception: draining', error);
      broken = true;
      stopping = true;
      stop();
    },
  };
  for (const [event, listener] of Object.entries(listeners)) process.on(event, listener);

  return {
    get broken() {
      return broken;
    },
    end() {
      for (const [event, listener] of Object.entries(listeners)) process.off(event, listener);
    },
  };
}
