/** The worker that the containers run in the benches: it calls the handler of the bench. */
import type { WorkerFactory } from '../../src/index.ts';
import type { Handler } from '../handlers.ts';

export let handler: Handler = () => {};

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
