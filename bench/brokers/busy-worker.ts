/** The worker of the containers that are to use two processors. */
import { pbkdf2Sync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerFactory } from '../../src/index.ts';

/** Some five milliseconds. */
const ITERATIONS = 30_000;

/** The same work each time, unlike a wait until the clock says that it is over. */
export function work(): void {
  pbkdf2Sync('bench', 'salt', ITERATIONS, 32, 'sha256');
}

/** Works on each message. At its end, each process leaves a file in `folder` that says when each was done. */
export const worker: WorkerFactory = ({ folder = '' }) => {
  const doneAt: number[] = [];
  process.once('exit', () => writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(doneAt)));
  return () => {
    work();
    doneAt.push(Date.now());
  };
};
