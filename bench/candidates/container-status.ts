/** A concurrent container with its status server, and somebody who looks at it. */
import { fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Candidate } from '../candidates.ts';
import { run } from './container.ts';

export const statusContainer: Candidate = async (work) => {
  const socket = join(tmpdir(), `bench-status-${process.pid}.sock`);
  const running = run('concurrent', [
    'worker = ./container-worker.ts:worker',
    '[http]',
    `listen = ${socket}`,
  ]);
  const looker = fork(join(import.meta.dirname, '../looker.ts'), [socket], { execArgv: [] });
  await running(work);
  looker.kill();
};
