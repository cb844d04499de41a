/** What a run comes to: pure, from what was sent, what the ledger has, and what was done to the processes and the place. */

import type { Incident } from './history.ts';
import type { LedgerLine } from './ledger.ts';
import type { SentMessage } from './producer.ts';
import { type Attempt, attemptsOf, explain, type Repeat } from './repeats.ts';

export interface Evidence {
  readonly sent: readonly SentMessage[];
  readonly ledger: readonly LedgerLine[];
  readonly incidents: readonly Incident[];
  /** Seconds. */
  readonly visibilityTimeout: number;
  /** See `Place`. */
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
  // What happened to the process itself says more than what happened to the place meanwhile.
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
