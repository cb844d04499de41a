/** The worker of the soak: does nothing, and writes down now and then what its process uses. Node.js itself loads it. */
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { WorkerFactory } from '../src/worker/worker.ts';

/** What the process uses after this many messages. */
export interface Sample {
  readonly messages: number;
  /** Bytes, right after a garbage collection. */
  readonly heapUsed: number;
  /** Bytes. */
  readonly rss: number;
  /** Sockets, timers, and all else that the event loop waits for. */
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
