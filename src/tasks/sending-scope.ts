/** `queue.batch(async () => …)`: what is sent inside is waited for together, and its failures are one error. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { allSent, type Sent } from '../producer/send-results.ts';

const scope = new AsyncLocalStorage<Promise<Sent>[]>();

/** Runs `work`, then waits for all that was sent in it. Throws BatchError if some was not; each error holds its message. */
export async function sendTogether(queue: string, work: () => unknown): Promise<Sent[]> {
  const sends: Promise<Sent>[] = [];
  await scope.run(sends, async () => work());
  return allSent(queue, sends);
}

/** Notes a send: inside of a scope it need not be awaited. */
export function noteSend(send: Promise<Sent>): Promise<Sent> {
  const sends = scope.getStore();
  if (!sends) return send;
  // The scope reports what fails; nobody needs to await this one.
  send.catch(() => {});
  sends.push(send);
  return send;
}
