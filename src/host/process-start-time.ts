/** Distinguishes a process from a later one with the same process ID. */
import { readFileSync } from 'node:fs';

/**
 * When a process started, for comparison only: on Linux, `17430211` (clock ticks since boot); `alive` where the system
 * does not tell; undefined if there is no such process.
 */
export function processStartTime(pid: number): string | undefined {
  if (!exists(pid)) return undefined;
  try {
    return startIn(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return 'alive';
  }
}

/**
 * The start time in the text of `/proc/PID/stat`; undefined for a zombie, which has exited but was not reaped by its
 * parent yet. The program's name, in parentheses, may contain anything:
 *
 *     startIn('7 (a) b) S 1 7 7 0 -1 4194560 2519 0 0 0 3 1 0 0 20 0 11 0 17430211 …') // '17430211'
 */
export function startIn(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // The first of these fields is the third in proc(5), the state. The start time is the 22nd.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
