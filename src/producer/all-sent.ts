/** Waits for several sends, and makes one error of those that failed. */
import { BatchError } from './errors.ts';
import type { Sent } from './queue.ts';

/** What was sent, in the order of the sends. Throws BatchError if some of it was not. */
export async function allSent(queue: string, sends: readonly Promise<Sent>[]): Promise<Sent[]> {
  const settled = await Promise.allSettled(sends);
  const results = settled.map((result) =>
    result.status === 'fulfilled' ? result.value : toError(result.reason),
  );
  if (results.some((result) => result instanceof Error)) throw new BatchError(queue, results);
  return results as Sent[];
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
