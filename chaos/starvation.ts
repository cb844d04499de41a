/**
 * Detects when the machine does not let a process run: a busy machine can stall it for longer than a visibility timeout, as
 * SIGSTOP would. Containers import this file first (`node --import`), and it appends a line to the file named by
 * CHAOS_STARVATION. Time that a process spends computing does not count as starvation.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { elapsed } from '../harness/clock.ts';

/** A period in which a process was ready but did not run; in milliseconds of `elapsed`. */
export interface Starvation {
  readonly pid: number;
  readonly from: number;
  readonly to: number;
}

const EVERY_MS = 50;
/** Shorter stalls do not count. */
const STARVED_MS = 300;

/** Watches this process until the returned function is called. */
export function watchStarvation(file: string): () => void {
  let last = { at: elapsed(), cpuMs: cpuMs() };
  const timer = setInterval(() => {
    const now = { at: elapsed(), cpuMs: cpuMs() };
    const stoodStillMs = now.at - last.at - (now.cpuMs - last.cpuMs);
    if (stoodStillMs > STARVED_MS) appendFileSync(file, `${process.pid} ${last.at} ${now.at}\n`);
    last = now;
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** Reads the lines that the processes wrote to the file. */
export function readStarvation(file: string): Starvation[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  return lines.map((line) => {
    const [pid = 0, from = 0, to = 0] = line.split(' ').map(Number);
    return { pid, from, to };
  });
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const { CHAOS_STARVATION } = process.env;
if (CHAOS_STARVATION) watchStarvation(CHAOS_STARVATION);
