/**
 * A container's counts since its start, as plain JSON. Children send snapshots to their parent, and the status server
 * shows them. The snapshots of several processes can be added up.
 */
import { type HistogramCounts, sumOf } from './histogram.ts';

/** Messages by outcome. */
export interface OutcomeCounts {
  /** The worker returned. */
  readonly handled: number;
  /** Failed, or not a valid call, and deleted. */
  readonly dropped: number;
  /** Failed, and will be retried. */
  readonly retried: number;
  /** Sent to the dead-letter queue. */
  readonly buried: number;
}

export interface QueueSnapshot {
  /** Whether this container handles its messages; for other queues, only requests are counted. */
  readonly worked: boolean;
  readonly received: number;
  /** Receives that returned nothing, that returned messages, and that failed. */
  readonly emptyReceives: number;
  readonly fullReceives: number;
  readonly failedReceives: number;
  readonly outcomes: OutcomeCounts;
  /** How long workers took, in seconds. */
  readonly handling: HistogramCounts;
  /** How old messages were when received, in seconds since they were sent. */
  readonly age: HistogramCounts;
  readonly leaseExtensions: number;
  readonly leasesLost: number;
  /** Messages held now: waiting, running and settling. */
  readonly held: number;
  /** Messages whose workers run now. */
  readonly running: number;
  /** Number of processes whose receives fail now. */
  readonly failing: number;
  /** How long receives have been in progress without any of them returning; the maximum over all processes. */
  readonly silentSeconds: number;
  /** Requests by action of the SQS API. */
  readonly requests: Readonly<Record<string, number>>;
  /** Requests as billed by SQS: one for each 64 KiB that a request carries. */
  readonly billedRequests: number;
}

/** A failed message, for display. */
export interface Failure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly queue: string;
  readonly messageId: string;
  readonly receiveCount: number;
  /** Error and body are truncated, without likely secrets. */
  readonly error: string;
  readonly body: string;
  readonly outcome: keyof OutcomeCounts;
}

export interface Snapshot {
  /** When the process started: milliseconds since the epoch. */
  readonly startedAt: number;
  /** How many messages can run at the same time. */
  readonly slots: number;
  /** By name. */
  readonly queues: Readonly<Record<string, QueueSnapshot>>;
  /** The last failures, newest first. */
  readonly failures: readonly Failure[];
}

/** A queue's value, or undefined. Safe for a queue called `constructor`, a property that every object has. */
export function ofQueue<Value>(values: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** How many failures are kept. */
export const KEPT_FAILURES = 20;

/** The snapshot of a process that has exited: its counts remain, but it holds no messages. */
export function ended({ queues, ...snapshot }: Snapshot): Snapshot {
  return {
    ...snapshot,
    slots: 0,
    queues: Object.fromEntries(
      Object.entries(queues).map(([name, queue]) => [
        name,
        { ...queue, held: 0, running: 0, failing: 0, silentSeconds: 0 },
      ]),
    ),
  };
}

/** Adds up the snapshots of one or more processes. */
export function totalOf(snapshots: readonly Snapshot[]): Snapshot {
  const queues = new Map<string, QueueSnapshot>();
  for (const snapshot of snapshots) {
    for (const [name, queue] of Object.entries(snapshot.queues)) {
      const known = queues.get(name);
      queues.set(name, known ? addQueues(known, queue) : queue);
    }
  }
  return {
    startedAt: Math.min(...snapshots.map(({ startedAt }) => startedAt)),
    slots: snapshots.reduce((sum, { slots }) => sum + slots, 0),
    queues: Object.fromEntries(queues),
    failures: snapshots
      .flatMap(({ failures }) => failures)
      .sort((one, other) => other.at - one.at)
      .slice(0, KEPT_FAILURES),
  };
}

function addQueues(one: QueueSnapshot, other: QueueSnapshot): QueueSnapshot {
  return {
    ...addNumbers(one, other),
    worked: one.worked || other.worked,
    outcomes: addNumbers(one.outcomes, other.outcomes),
    handling: sumOf(one.handling, other.handling),
    age: sumOf(one.age, other.age),
    requests: addNumbers(one.requests, other.requests),
    silentSeconds: Math.max(one.silentSeconds, other.silentSeconds),
  };
}

/** Adds up the numbers of both by name; a missing number counts as 0. */
function addNumbers<Counts extends object>(one: Counts, other: Counts): Counts {
  const known = new Map<string, unknown>(Object.entries(one));
  for (const [name, count] of Object.entries(other)) {
    if (typeof count === 'number') known.set(name, Number(known.get(name) ?? 0) + count);
  }
  return Object.fromEntries(known) as Counts;
}
