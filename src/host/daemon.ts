/**
 * A process that goes on in the background: how it is started, and how it is ended. The one that was called starts this
 * program again, in a session of its own, and waits until that is ready or has failed. What it writes meanwhile and later
 * goes to a log file.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { LoggersSettings } from '../config/logger-settings.ts';
import { LOG_FILE_MODE } from '../observe/logging/destination.ts';
import { isRunning, PidFileError, pidFileHolder } from './pid-file.ts';

/** How the daemon began: it is ready, or it has ended, which nobody saw but in what it wrote. */
export type DaemonStart =
  | { readonly ready: true; readonly pid: number }
  | {
      readonly ready: false;
      readonly exitCode: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly output: string;
    };

/** Set for the daemon. */
const DAEMON_VARIABLE = 'SQS_CONTAINERS_DAEMON';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** How often to look whether it has ended, in milliseconds. */
const LOOK_MS = 50;

/** The log file of a logger, or of all loggers; undefined if all it says goes to a terminal. */
export function daemonLog({ root, named }: LoggersSettings, logger: string): string | undefined {
  const paths = [named.get(logger)?.target?.path, root.target.path];
  return paths.find((path) => path !== undefined && path !== 'STDOUT' && path !== 'STDERR');
}

/**
 * Starts this program again, with the same arguments, as a daemon; what goes to its standard output and standard error is
 * appended to `logFile`. Resolves when it is ready, or has ended. A signal that would end this process ends the daemon.
 */
export async function startDaemon(logFile: string): Promise<DaemonStart> {
  const log = openSync(logFile, 'a+', LOG_FILE_MODE);
  const before = fstatSync(log).size;
  const [, script = '', ...args] = process.argv;
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...process.env, [DAEMON_VARIABLE]: '1' },
  });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, pass);
  try {
    return await new Promise<DaemonStart>((resolve, reject) => {
      child.on('error', reject);
      child.on('message', () => resolve({ ready: true, pid: child.pid ?? 0 }));
      child.on('exit', (exitCode, signal) =>
        resolve({ ready: false, exitCode, signal, output: textFrom(log, before) }),
      );
    });
  } finally {
    for (const signal of SIGNALS) process.off(signal, pass);
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
    closeSync(log);
  }
}

/** What tells the process that started this daemon that it is ready; undefined in a process that is none. To be asked once. */
export function findDaemonStarter(): (() => void) | undefined {
  const isDaemon = process.env[DAEMON_VARIABLE] !== undefined;
  delete process.env[DAEMON_VARIABLE];
  if (!isDaemon) return undefined;
  return () => {
    // It may have ended; and it waits for the first word only.
    if (process.connected) process.send?.('ready', undefined, undefined, () => process.disconnect?.());
  };
}

/**
 * Sends TERM to the process of a pid file, and waits for its end for so many seconds. `say` gets lines for people.
 * Resolves to true once no such process runs, also if there was none; to false if it still runs.
 * Throws PidFileError if the file cannot be read, or the process is another user's.
 */
export async function stopProcess(
  pidFile: string,
  seconds: number,
  say: (line: string) => void,
): Promise<boolean> {
  const holder = pidFileHolder(pidFile);
  if (!holder) {
    say(`Not running: no process holds ${pidFile}`);
    return true;
  }
  const { pid } = holder;
  terminate(pid, pidFile);
  say(`Told process ${pid} to drain; it may take up to ${seconds} s`);
  const startedAt = performance.now();
  const secondsSince = () => (performance.now() - startedAt) / 1000;
  while (isRunning(holder)) {
    if (secondsSince() > seconds) {
      say(`Process ${pid} still runs after ${seconds} s`);
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  say(`Process ${pid} has ended, after ${secondsSince().toFixed(1)} s`);
  return true;
}

function terminate(pid: number, pidFile: string): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new PidFileError(
      `Process ${pid}, which holds ${pidFile}, cannot be told to end; only its user and root can: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function textFrom(file: number, start: number): string {
  // A rotation may have cut it.
  const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - start));
  readSync(file, bytes, 0, bytes.length, start);
  return bytes.toString();
}
