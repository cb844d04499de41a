/** A concurrent container with its status server: alone, and with somebody who looks at it. */
import { fork } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Candidate } from '../candidates.ts';
import { run } from './container.ts';

const SOCKET = join(tmpdir(), `bench-status-${process.pid}.sock`);

export const statusContainer: Candidate = run('sqs-concurrent', [
  'worker = ./container-worker.ts:worker',
  '[http]',
  `listen = ${SOCKET}`,
]);

export const watchedContainer: Candidate = async (work) => {
  const looker = fork(join(import.meta.dirname, '../looker.ts'), [SOCKET], { execArgv: [] });
  await statusContainer(work);
  looker.kill();
};
