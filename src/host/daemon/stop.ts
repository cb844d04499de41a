/** Ends the process that holds a pid file, and waits for its end. */
import { isRunning, PidFileError, pidFileHolder } from './pid-file.ts';

/** How often to look whether it has ended, in milliseconds. */
const LOOK_MS = 50;

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
