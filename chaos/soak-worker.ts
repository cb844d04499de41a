/** The worker of the soak test: does nothing except record its process's resource usage. Loaded by Node.js itself. */
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { WorkerFactory } from '../src/worker/worker.ts';

/** The resource usage of the process after this many messages. */
export interface Sample {
  readonly messages: number;
  /** In bytes, right after a garbage collection. */
  readonly heapUsed: number;
  /** In bytes. */
  readonly rss: number;
  /** Sockets, timers, and everything else that the event loop waits for. */
  readonly handles: number;
}

export const worker: WorkerFactory = ({ samples = '', every }) => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  let messages = 0;
  return () => {
    messages += 1;
    if (messages % Number(every) !== 0) return;
    collectGarbage();
    const { heapUsed, rss } = process.memoryUsage();
    const handles = process.getActiveResourcesInfo().length;
    const sample: Sample = { messages, heapUsed, rss, handles };
    appendFileSync(samples, `${JSON.stringify(sample)}\n`);
  };
};
