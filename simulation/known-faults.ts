/**
 * The faults that the simulator has found and that are not mended yet. A world that meets one goes on, without the
 * message that it hit. Whoever mends a fault removes it here: then it counts as a failure again.
 */
import type { Invariant } from './invariants.ts';

export const KNOWN_FAULTS: Readonly<Partial<Record<Invariant, string>>> = {
  crashLimit:
    'A crash mark ends when the worker returns, before its delete is confirmed: a worker whose timer ends the process is not suspected, and the messages beside it are.',
  startedLate:
    'A lease is counted from when the answer to a receive is read. If the process stood still meanwhile, or a receive without a wait was answered slowly, a message starts that another process may have.',
  twoOwners: 'The same: the lease is extended too late.',
  twiceInProcess: 'A message that arrives twice, in one answer or two, starts twice.',
  backoff:
    'A second extension starts while the first hangs. The settler waits for the second only, and the first undoes the backoff.',
  deadLetterOrder:
    'When one entry of a request fails, the copies behind it in its group are not held back: the order of the dead-letter queue changes.',
};

export function isKnown(invariant: Invariant): boolean {
  return invariant in KNOWN_FAULTS;
}
