/** The workers and the task that containers run in benchmarks: each calls the benchmark's handler. */
import { taskQueue, type WorkerFactory } from '../../src/index.ts';
import type { Handler } from '../work.ts';

let handler: Handler = () => {};

export function setHandler(one: Handler): void {
  handler = one;
}

export const worker: WorkerFactory = () => () => handler();

export const raw: WorkerFactory = () => ({
  handleMessage({ body }) {
    JSON.parse(body);
    return handler();
  },
});

export const count = taskQueue('bench').task('count', (_: { number: number }) => handler());
