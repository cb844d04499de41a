/** A queue in a file that a spec and the executables that it runs have open together. */
import type { Queue } from '../../src/brokers/broker.ts';
import { openIn } from './executable-brokers.ts';

/** Opens the queue `jobs` of `queues.db` in a folder. */
export async function openQueue(folder: string): Promise<Queue> {
  return (await openIn(folder)).open('jobs');
}

/** The text of an ini file for the worker `./worker.mjs:EXPORT` on that queue, with more options and sections. */
export function settings(exported: string, more = ''): string {
  return `[container]\nworker = ./worker.mjs:${exported}\nqueue = jobs\nbroker = sqlite:queues.db\n${more}`;
}

/** Sends calls, in order. */
export async function call(queue: Queue, ...calls: readonly (readonly unknown[])[]): Promise<void> {
  for (const args of calls) await queue.send([{ body: JSON.stringify([args, {}]) }]);
}
