/**
 * The verdict on a run, a pure function of what was sent, what the ledger has, and what was done to the processes and the
 * broker: what was lost, what was handled out of order, and for each message that was handled again the incident that
 * explains it, if there is one.
 */
import { type Incident, STARVED } from './history.ts';
import type { LedgerLine } from './ledger.ts';
import type { SentMessage } from './producer.ts';

/** One handling of a message. */
interface Attempt {
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

interface Repeat {
  readonly before: Attempt;
  readonly again: Attempt;
}

export interface Evidence {
  readonly sent: readonly SentMessage[];
  readonly ledger: readonly LedgerLine[];
  readonly incidents: readonly Incident[];
  /** Seconds. */
  readonly visibilityTimeout: number;
  /** See `FaultyBroker`. */
  readonly sharedLock: boolean;
}

/** A message of a group that was started before one that comes before it had been handled. */
export interface OrderViolation {
  readonly number: number;
  readonly before: number;
}

export interface ExplainedRepeat extends Repeat {
  /** The incident that explains it; undefined: none does. */
  readonly cause: Incident | undefined;
}

export interface Verdict {
  readonly sent: number;
  readonly acknowledged: number;
  /** How many messages were handled well at least once. */
  readonly handled: number;
  /** Acknowledged, gone, and never started. */
  readonly lost: readonly number[];
  /** Acknowledged, gone, and started, but never handled well. */
  readonly deletedUnhandled: readonly number[];
  readonly orderViolations: readonly OrderViolation[];
  readonly repeats: readonly ExplainedRepeat[];
}

export function judge({ sent, ledger, incidents, visibilityTimeout, sharedLock }: Evidence): Verdict {
  const attempts = attemptsOf(ledger);
  const byNumber = Map.groupBy(attempts, ({ number }) => number);
  const handled = (number: number) => byNumber.get(number)?.some(({ outcome }) => outcome === 'end') ?? false;
  const acknowledged = sent.filter((message) => message.acknowledged).map(({ number }) => number);
  // What happened to the process itself says more than what happened to the broker meanwhile.
  const byCloseness = incidents.toSorted(
    (one, other) => Number(other.pid !== undefined) - Number(one.pid !== undefined),
  );
  const gone = acknowledged.filter((number) => !handled(number));
  return {
    sent: sent.length,
    acknowledged: acknowledged.length,
    handled: [...byNumber.keys()].filter(handled).length,
    lost: gone.filter((number) => !byNumber.has(number)),
    deletedUnhandled: gone.filter((number) => byNumber.has(number)),
    orderViolations: violations(sent, byNumber),
    repeats: repeatsAmong(attempts).map((repeat) => ({
      ...repeat,
      cause: explain(repeat, byCloseness, { visibilityTimeout, sharedLock }),
    })),
  };
}

/** Whether the run has shown a defect. Repeats that an incident explains are none. */
export function isGood({ lost, deletedUnhandled, orderViolations, repeats }: Verdict): boolean {
  const unexplained = repeats.some(({ cause }) => cause === undefined);
  return lost.length + deletedUnhandled.length + orderViolations.length === 0 && !unexplained;
}

/** Each attempt at a message that followed one that had not failed. */
function repeatsAmong(attempts: readonly Attempt[]): Repeat[] {
  // By id: a producer that tries again after an answer that went missing has sent two messages with the same number.
  return [...Map.groupBy(attempts, ({ id }) => id).values()].flatMap((ofOne) =>
    ofOne.slice(1).flatMap((again, index) => {
      const before = ofOne[index]!;
      return before.outcome === 'fail' ? [] : [{ before, again }];
    }),
  );
}

/**
 * Of a group, a message may first start when all those sent before it have been handled well. Of a message that was not
 * acknowledged nobody knows whether it is there: it keeps nobody waiting.
 */
function violations(
  sent: readonly SentMessage[],
  attempts: ReadonlyMap<number, readonly Attempt[]>,
): OrderViolation[] {
  const groups = Map.groupBy(
    sent.filter(({ group }) => group !== undefined),
    ({ group }) => group,
  );
  return [...groups.values()].flatMap((group) => {
    const found: OrderViolation[] = [];
    let last = { number: -1, handledAt: -1 };
    for (const { number, acknowledged } of group) {
      const own = attempts.get(number) ?? [];
      const startedAt = own[0]?.startLine ?? Number.POSITIVE_INFINITY;
      if (startedAt < last.handledAt) found.push({ number, before: last.number });
      const handledAt = Math.min(
        ...own.map(({ outcome, endLine }) => (outcome === 'end' ? endLine : Infinity)),
      );
      if (acknowledged && handledAt > last.handledAt) last = { number, handledAt };
    }
    return found;
  });
}

/** How long the delete of a handled message may take while all is well: its wait for nine others, and a request. */
const SETTLE_MS = 1_000;

/** Incidents in which a process does not run for a while, and then goes on. */
const STANDS_STILL = new Set(['SIGSTOP', STARVED]);

/** The attempts that the ledger has, in the order of their starts. */
function attemptsOf(ledger: readonly LedgerLine[]): Attempt[] {
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
 * - the broker failed while the message was held
 *
 * Undefined if there is none. SIGTERM explains nothing: a process that drains deletes what it has handled.
 */
function explain(
  { before, again }: Repeat,
  incidents: readonly Incident[],
  { visibilityTimeout, sharedLock }: Pick<Evidence, 'visibilityTimeout' | 'sharedLock'>,
): Incident | undefined {
  const heldFrom = before.startedAt - visibilityTimeout * 1000;
  return incidents.find(({ what, from, to, pid }) => {
    if (from > again.startedAt || to < heldFrom) return false;
    if (pid === undefined) return true;
    if (STANDS_STILL.has(what)) return sharedLock || pid === before.pid || pid === again.pid;
    return pid === before.pid && from >= before.startedAt && from <= before.endedAt + SETTLE_MS;
  });
}
