/** The worker of our containers. Loaded by Node.js itself, so it may only use type syntax that can be stripped. */
import { TransientError } from '../src/worker/errors.ts';
import type { WorkerFactory } from '../src/worker/worker.ts';
import { handling } from './handling.ts';

export const worker: WorkerFactory = ({ ledger = '', longest_ms }) => {
  const handle = handling({
    ledger,
    longestMs: Number(longest_ms),
    failure: () => new TransientError('try again', { delay: 1 }),
  });
  return {
    handleMessage: ({ id, body, receiveCount }) => handle({ id, receiveCount, number: Number(body) }),
  };
};
