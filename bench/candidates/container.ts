/** This project's containers, run as their executables do, with the default settings. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../src/config/config.ts';
import { runContainer } from '../../src/container/container.ts';
import { type Program, settingsOf } from '../../src/container/program.ts';
// Imported here so that the container does not import it through tsx, which adds calls to each function.
import '../../src/tasks/worker.ts';
import type { Candidate } from '../work.ts';
import { setHandler } from './container-worker.ts';

export const container = (program: Program): Candidate =>
  run(program, ['worker = ./container-worker.ts:worker']);

/** A worker that reads raw messages. */
export const rawContainer: Candidate = run('sqs-concurrent', ['worker = ./container-worker.ts:raw']);

/** The worker that runs tasks. */
export const taskContainer: Candidate = run('sqs-concurrent', [
  'worker = ../../src/tasks/worker.ts:worker',
  '[worker]',
  'modules = ./container-worker.ts',
]);

const SOCKET = join(tmpdir(), `bench-status-${process.pid}.sock`);

/** A container with a status server and no viewer. */
export const statusContainer: Candidate = run('sqs-concurrent', [
  'worker = ./container-worker.ts:worker',
  '[http]',
  `listen = ${SOCKET}`,
]);

/** A container with a status server and a viewer. */
export const watchedContainer: Candidate = async (work) => {
  const viewer = fork(join(import.meta.dirname, 'status-viewer.ts'), [SOCKET], { execArgv: [] });
  await statusContainer(work);
  viewer.kill();
};

/** `lines` are added to the section `[container]` and can start other sections. */
export function run(program: Program, lines: readonly string[]): Candidate {
  return async ({ stub, handle, end }) => {
    setHandler(handle);
    const ini = [
      '[logger]',
      'level = warn',
      '[container]',
      `broker = sqs+${stub.url}`,
      `queue = ${stub.queue}`,
      ...lines,
    ];
    const config = parseConfig(ini.join('\n'), join(import.meta.dirname, 'bench.ini'), {});
    const running = runContainer(program, settingsOf(program, config));
    await once(end, 'abort');
    process.kill(process.pid, 'SIGTERM');
    await running;
  };
}
