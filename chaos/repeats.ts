/** Why messages were handled again: finds for each repeat the incident that explains it, if there is one. */
import { type Incident, STARVED } from './history.ts';
import type { LedgerLine } from './ledger.ts';

/** One handling of a message. */
export interface Attempt {
  readonly number: number;
  readonly id: string;
  readonly pid: number;
  /** Milliseconds of `elapsed`. */
  readonly startedAt: number;
  /** The line of the ledger, from 0: what comes first in all processes has the lower one. */
  readonly startLine: number;
  /** `unfinished`: its process ended, or still runs it. */
  outcome: 'end' | 'fail' | 'unfinished';
  endedAt: number;
  endLine: number;
}

export interface Repeat {
  readonly before: Attempt;
  readonly again: Attempt;
}

export interface Circumstances {
  /** Seconds. */
  readonly visibilityTimeout: number;
  /** See `Place`. */
  readonly sharedLock: boolean;
}

/** How long the delete of a handled message may take while all is well: its wait for nine others, and a request. */
const SETTLE_MS = 1_000;

/** Incidents in which a process does not run for a while, and then goes on. */
const STANDS_STILL = new Set(['SIGSTOP', STARVED]);

/** The attempts that the ledger has, in the order of their starts. */
export function attemptsOf(ledger: readonly LedgerLine[]): Attempt[] {
  const attempts: Attempt[] = [];
  const open = new Map<string, Attempt>();
  for (const [line, { event, at, pid, number, id, receiveCount }] of ledger.entries()) {
    const key = `${pid} ${id} ${receiveCount}`;
    if (event === 'start') {
      const attempt: Attempt = {
        ...{ number, id, pid, startedAt: at, startLine: line },
        ...{ outcome: 'unfinished', endedAt: Infinity, endLine: Infinity },
      };
      attempts.push(attempt);
      open.set(key, attempt);
    } else {
      Object.assign(open.get(key)!, { outcome: event, endedAt: at, endLine: line });
    }
  }
  return attempts;
}

/**
 * The incident that explains a repeat:
 * - its process was killed while it handled the message, or so soon after that the delete was not confirmed yet
 * - one of the two processes was stopped while it had the message, or starved, so that the visibility timeout ended
 * - the place did not work while the message was held
 *
 * Undefined if there is none. SIGTERM explains nothing: a process that drains deletes what it has handled.
 */
export function explain(
  { before, again }: Repeat,
  incidents: readonly Incident[],
  { visibilityTimeout, sharedLock }: Circumstances,
): Incident | undefined {
  const heldFrom = before.startedAt - visibilityTimeout * 1000;
  return incidents.find(({ what, from, to, pid }) => {
    if (from > again.startedAt || to < heldFrom) return false;
    if (pid === undefined) return true;
    if (STANDS_STILL.has(what)) return sharedLock || pid === before.pid || pid === again.pid;
    return pid === before.pid && from >= before.startedAt && from <= before.endedAt + SETTLE_MS;
  });
}
