/**
 * The verdict on a run, a pure function of the sent messages, the ledger, and the incidents of the processes and the
 * broker: lost messages, messages handled out of order, and for each repeated message the incident that explains it, if
 * any.
 */
import { type Incident, STARVED } from './history.ts';
import type { LedgerLine } from './ledger.ts';
import type { SentMessage } from './producer.ts';

/** One handling of a message. */
interface Attempt {
  readonly number: number;
  readonly id: string;
  readonly pid: number;
  /** In milliseconds of `elapsed`. */
  readonly startedAt: number;
  /** The line in the ledger, from 0; earlier events in any process have lower numbers. */
  readonly startLine: number;
  /** `unfinished`: its process exited or is still running it. */
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
  /** In seconds. */
  readonly visibilityTimeout: number;
  /** See `FaultyBroker`. */
  readonly sharedLock: boolean;
}

/** A message that was started before an earlier message of its group was handled. */
export interface OrderViolation {
  readonly number: number;
  readonly before: number;
}

export interface ExplainedRepeat extends Repeat {
  /** The incident that explains it; undefined if unexplained. */
  readonly cause: Incident | undefined;
}

export interface Verdict {
  readonly sent: number;
  readonly acknowledged: number;
  /** How many messages were handled successfully at least once. */
  readonly handled: number;
  /** Acknowledged, no longer in the queue, and never started. */
  readonly lost: readonly number[];
  /** Acknowledged, no longer in the queue, and started, but never handled successfully. */
  readonly deletedUnhandled: readonly number[];
  readonly orderViolations: readonly OrderViolation[];
  readonly repeats: readonly ExplainedRepeat[];
}

export function judge({ sent, ledger, incidents, visibilityTimeout, sharedLock }: Evidence): Verdict {
  const attempts = attemptsOf(ledger);
  const byNumber = Map.groupBy(attempts, ({ number }) => number);
  const handled = (number: number) => byNumber.get(number)?.some(({ outcome }) => outcome === 'end') ?? false;
  const acknowledged = sent.filter((message) => message.acknowledged).map(({ number }) => number);
  // An incident of the process itself is a better explanation than an incident of the broker.
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

/** Whether the run found no defect. Repeats explained by an incident are not defects. */
export function isGood({ lost, deletedUnhandled, orderViolations, repeats }: Verdict): boolean {
  const unexplained = repeats.some(({ cause }) => cause === undefined);
  return lost.length + deletedUnhandled.length + orderViolations.length === 0 && !unexplained;
}

/** Each attempt at a message whose previous attempt had not failed. */
function repeatsAmong(attempts: readonly Attempt[]): Repeat[] {
  // By id, because a producer that retries after a lost response sends two messages with the same number.
  return [...Map.groupBy(attempts, ({ id }) => id).values()].flatMap((ofOne) =>
    ofOne.slice(1).flatMap((again, index) => {
      const before = ofOne[index]!;
      return before.outcome === 'fail' ? [] : [{ before, again }];
    }),
  );
}

/**
 * A message can start only after all earlier messages of its group were handled successfully. An unacknowledged message may
 * not exist, so no other message has to wait for it.
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

/** How long the delete of a handled message takes without faults: waiting for nine others, and a request. */
const SETTLE_MS = 1_000;

/** Incidents in which a process stalls for a while and then continues. */
const STANDS_STILL = new Set(['SIGSTOP', STARVED]);

/** The attempts in the ledger, in the order of their starts. */
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
 * - its process was killed while handling the message, or so soon after that the delete was not confirmed yet
 * - one of the two processes was stopped or starved while it held the message, so that the visibility timeout ended
 * - the broker failed while the message was held
 *
 * Undefined if there is none. SIGTERM is never an explanation: a draining process deletes the messages it has handled.
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
