/**
 * What happens to the process from outside: signals steer the container, and errors that nobody caught do not pass
 * unseen. TERM and INT drain, a second one ends at once; HUP reopens the log files; USR2 wakes a receiver that pauses.
 */
import { constants } from 'node:os';
import type { Logger } from '../observe/logging/loggers.ts';

export interface ProcessControls {
  readonly log: Logger;
  readonly stop: () => void;
  readonly wake: () => void;
  readonly reopenLogs: () => void;
  /** True for a child: the terminal sends INT to parent and children alike, and the parent orders what to do. */
  readonly ignoreInterrupt?: boolean;
}

export interface ProcessEvents {
  /** True once an error escaped that leaves the process in an unknown state. */
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
      log.warn(`${signal} again: ending at once; what is held comes back when its visibility timeout ends`);
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
      log.info('SIGHUP: log files reopened');
    },
    SIGUSR2: wake,
    // A promise that the worker forgot says nothing about the state of the others.
    unhandledRejection: (reason: unknown) =>
      log.error('A promise was rejected that nobody waits for', reason),
    uncaughtException: (error: Error) => {
      log.error('An exception that nobody caught: draining, because the process may be in any state', error);
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
