/** The task that the containers run in the benches: it calls the handler of the bench. */
import { taskQueue } from '../../src/index.ts';
import { handler } from './container-worker.ts';

export const count = taskQueue('bench').task('count', (_: { number: number }) => handler());
