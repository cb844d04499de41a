/** A CPU-bound worker, for containers that should use two CPUs. */
import { pbkdf2Sync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerFactory } from '../../src/index.ts';

/** About five milliseconds. */
const ITERATIONS = 30_000;

/** The same amount of work each time, unlike a busy loop with a time limit. */
export function work(): void {
  pbkdf2Sync('bench', 'salt', ITERATIONS, 32, 'sha256');
}

/** Works on each message. On exit, each process writes a file in `folder` with the time each message was done. */
export const worker: WorkerFactory = ({ folder = '' }) => {
  const doneAt: number[] = [];
  process.once('exit', () => writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(doneAt)));
  return () => {
    work();
    doneAt.push(Date.now());
  };
};
