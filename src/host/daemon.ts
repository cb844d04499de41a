/**
 * Starts and stops a daemon, a process that continues in the background. The calling process starts this program again
 * in its own session, and waits until the daemon is ready or has failed. The daemon's output goes to a log file.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { LoggersSettings } from '../config/logger-settings.ts';
import { LOG_FILE_MODE } from '../observe/logging/destination.ts';
import { isRunning, PidFileError, pidFileHolder } from './pid-file.ts';

/** The result of a start: the daemon is ready, or it has exited; then `output` is what it wrote. */
export type DaemonStart =
  | { readonly ready: true; readonly pid: number }
  | {
      readonly ready: false;
      readonly exitCode: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly output: string;
    };

/** Environment variable set for the daemon. */
const DAEMON_VARIABLE = 'SQS_CONTAINERS_DAEMON';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** How often to check whether the process has exited, in milliseconds. */
const LOOK_MS = 50;

/** The log file of a logger, or else that of the root logger; undefined if both log to the terminal. */
export function daemonLog({ root, named }: LoggersSettings, logger: string): string | undefined {
  const paths = [named.get(logger)?.target?.path, root.target.path];
  return paths.find((path) => path !== undefined && path !== 'STDOUT' && path !== 'STDERR');
}

/**
 * Starts this program again as a daemon, with the same arguments. Its standard output and standard error are appended
 * to `logFile`. Resolves when it is ready or has exited. Until then, SIGINT and SIGTERM are passed on to the daemon.
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

/**
 * If this process is a daemon, returns a function that tells the process that started it that it is ready. Call it
 * only once: it removes the variable, so that programs started by a worker are not taken for daemons.
 */
export function findDaemonStarter(): (() => void) | undefined {
  const isDaemon = process.env[DAEMON_VARIABLE] !== undefined;
  delete process.env[DAEMON_VARIABLE];
  if (!isDaemon) return undefined;
  return () => {
    // The other process may have exited, and it needs only this one message.
    if (process.connected) process.send?.('ready', undefined, undefined, () => process.disconnect?.());
  };
}

/**
 * Sends SIGTERM to the process of a pid file, and waits up to `seconds` for it to exit. `say` gets progress lines.
 * Resolves to true once the process is not running, including if it never was; to false if it is still running.
 * Throws PidFileError if the file cannot be read, or if the process belongs to another user.
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
  say(`Asked process ${pid} to drain; this may take up to ${seconds} s`);
  const startedAt = performance.now();
  const secondsSince = () => (performance.now() - startedAt) / 1000;
  while (isRunning(holder)) {
    if (secondsSince() > seconds) {
      say(`Process ${pid} is still running after ${seconds} s`);
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  say(`Process ${pid} exited after ${secondsSince().toFixed(1)} s`);
  return true;
}

function terminate(pid: number, pidFile: string): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    // It exited on its own.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new PidFileError(
      `Cannot stop process ${pid}, which holds ${pidFile}; only its user and root can: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function textFrom(file: number, start: number): string {
  // A log rotation may have truncated the file.
  const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - start));
  readSync(file, bytes, 0, bytes.length, start);
  return bytes.toString();
}
