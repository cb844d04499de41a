/**
 * Runs a command that may hang: within so many seconds, or it and its processes are killed, what they were doing is shown,
 * and the exit code is 1. Else the exit code is the command's.
 *
 *     node scripts/within.ts 600 mocha test/config
 */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';

const [seconds, command = '', ...values] = process.argv.slice(2);

// Detached, so that it leads a process group that can be killed as a whole.
const child = spawn(command, values, { stdio: 'inherit', detached: true });

/** Sends a signal to the command and its processes. */
function kill(signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal);
}

const timer = setTimeout(() => {
  console.error(`\n${command} did not end within ${seconds} seconds. Its processes, which are killed now:`);
  spawnSync('ps', ['-o', 'pid,etime,args', '-g', String(child.pid)], { stdio: ['ignore', 2, 2] });
  process.exitCode = 1;
  kill('SIGKILL');
}, Number(seconds) * 1000);

// A terminal sends them to its own process group, which the command has left.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => kill(signal));

child.on('error', ({ message }) => {
  clearTimeout(timer);
  console.error(`${command} could not be started: ${message}`);
  process.exitCode = 1;
});

child.on('exit', (code, signal) => {
  clearTimeout(timer);
  process.exitCode ??= code ?? 128 + constants.signals[signal!];
});
