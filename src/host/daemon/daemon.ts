/**
 * A process that goes on in the background. The one that was called starts this program again, in a session of its own,
 * and waits until that is ready or has failed. What it writes meanwhile and later goes to a log file.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { LoggersSettings } from '../../config/loggers.ts';
import { LOG_FILE_MODE } from '../../observe/logging/destination.ts';
import { DAEMON_VARIABLE } from './starter.ts';

/** How the daemon began: it is ready, or it has ended, which nobody saw but in what it wrote. */
export type DaemonStart =
  | { readonly ready: true; readonly pid: number }
  | {
      readonly ready: false;
      readonly exitCode: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly output: string;
    };

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

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

function textFrom(file: number, start: number): string {
  // A rotation may have cut it.
  const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - start));
  readSync(file, bytes, 0, bytes.length, start);
  return bytes.toString();
}
