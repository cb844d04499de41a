/** This project's containers, as their executables run them, with the default settings. */
import { once } from 'node:events';
import { join } from 'node:path';
import { type ContainerKind, runContainer } from '../../containers/container.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { Candidate } from '../candidates.ts';
import { setHandler } from './container-worker.ts';

export const container =
  (kind: ContainerKind): Candidate =>
  async ({ stub, handle, end }) => {
    setHandler(handle);
    const ini = `[container]
      worker = ./container-worker.ts:worker
      broker = sqs+${stub.url}
      queue = ${stub.queue}
      [logger]
      level = warn`;
    const running = runContainer(kind, parseConfig(ini, join(import.meta.dirname, 'bench.ini'), {}));
    await once(end, 'abort');
    process.kill(process.pid, 'SIGTERM');
    await running;
  };
