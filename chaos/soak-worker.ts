/** The worker of the soak: does nothing, and writes down now and then what its process uses. Node.js itself loads it. */
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { WorkerFactory } from '../src/worker/worker.ts';
import type { Sample } from './samples.ts';

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
