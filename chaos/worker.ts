/** The worker that our containers run. Node.js itself loads this file, so only what has types that can be left out. */
import { TransientError } from '../src/worker/errors.ts';
import type { WorkerFactory } from '../src/worker/worker.ts';
import { handling } from './handling.ts';

export const worker: WorkerFactory = ({ ledger = '', longest_ms }) => {
  const handle = handling({
    ledger,
    longestMs: Number(longest_ms),
    failure: () => new TransientError('to be tried again', { delay: 1 }),
  });
  return {
    handleMessage: ({ id, body, receiveCount }) => handle({ id, receiveCount, number: Number(body) }),
  };
};
