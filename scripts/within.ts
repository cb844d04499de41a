/**
 * Runs a command with a time limit in seconds. If the command does not exit in time, prints its processes, kills them, and
 * exits with code 1; otherwise exits with the command's exit code.
 *
 *     node scripts/within.ts 600 mocha test/config
 */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';

const [seconds, command = '', ...values] = process.argv.slice(2);

// Detached, so that it leads its own process group, which can be killed as a whole.
const child = spawn(command, values, { stdio: 'inherit', detached: true });

/** Sends a signal to the command and its processes. */
function kill(signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal);
}

const timer = setTimeout(() => {
  console.error(`\n${command} did not exit within ${seconds} seconds. Killing its processes:`);
  spawnSync('ps', ['-o', 'pid,etime,args', '-g', String(child.pid)], { stdio: ['ignore', 2, 2] });
  process.exitCode = 1;
  kill('SIGKILL');
}, Number(seconds) * 1000);

// A terminal signals only its own process group, which the command has left.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => kill(signal));

child.on('error', ({ message }) => {
  clearTimeout(timer);
  console.error(`Could not start ${command}: ${message}`);
  process.exitCode = 1;
});

child.on('exit', (code, signal) => {
  clearTimeout(timer);
  process.exitCode ??= code ?? 128 + constants.signals[signal!];
});
