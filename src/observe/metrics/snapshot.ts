/**
 * What a container has counted since its start, as plain JSON: children hand it to their parent, and the status server
 * shows it. Adding up those of several processes gives that of all.
 */
import { type HistogramCounts, sumOf } from './histogram.ts';

/** What became of messages. */
export interface OutcomeCounts {
  /** The worker returned. */
  readonly handled: number;
  /** Failed, or no call, and deleted. */
  readonly dropped: number;
  /** To come back, after an error. */
  readonly retried: number;
  /** Sent to the dead-letter queue. */
  readonly buried: number;
}

export interface QueueSnapshot {
  /** Whether its messages are handled here; of the others only requests are counted. */
  readonly worked: boolean;
  readonly received: number;
  /** Receives that came back with nothing, with some messages, and with an error. */
  readonly emptyReceives: number;
  readonly fullReceives: number;
  readonly failedReceives: number;
  readonly outcomes: OutcomeCounts;
  /** How long workers took, in seconds. */
  readonly handling: HistogramCounts;
  /** How old messages were when they came, in seconds since they were sent. */
  readonly age: HistogramCounts;
  readonly leaseExtensions: number;
  readonly leasesLost: number;
  /** Messages held now: waiting, running and settling. */
  readonly held: number;
  /** Their workers run now. */
  readonly running: number;
  /** Processes whose receives fail now. */
  readonly failing: number;
  /** For how long receives have been under way and none has ended; of several processes the longest. */
  readonly silentSeconds: number;
  /** Requests by action of the SQS API. */
  readonly requests: Readonly<Record<string, number>>;
  /** The same as SQS bills them: each 64 KiB of what a request carries is one. */
  readonly billedRequests: number;
}

/** A handling that failed, for people. */
export interface Failure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly queue: string;
  readonly messageId: string;
  readonly receiveCount: number;
  /** Cut, without what looks secret; the body, too. */
  readonly error: string;
  readonly body: string;
  readonly outcome: keyof OutcomeCounts;
}

export interface Snapshot {
  /** When the process started: milliseconds since the epoch. */
  readonly startedAt: number;
  /** How many messages can run at once. */
  readonly slots: number;
  /** By name. */
  readonly queues: Readonly<Record<string, QueueSnapshot>>;
  /** The last ones, newest first. */
  readonly failures: readonly Failure[];
}

/** What there is of a queue; undefined: nothing. A queue may be called `constructor`, which all objects have. */
export function ofQueue<Value>(values: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** How many failures are kept. */
export const KEPT_FAILURES = 20;

/** What is left of a process that has ended: what it counted, and nothing that it holds. */
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

/** What several processes, one at least, counted together. */
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

/** Adds up what is a number in both; a name that only one has counts, too. */
function addNumbers<Counts extends object>(one: Counts, other: Counts): Counts {
  const known = new Map<string, unknown>(Object.entries(one));
  for (const [name, count] of Object.entries(other)) {
    if (typeof count === 'number') known.set(name, Number(known.get(name) ?? 0) + count);
  }
  return Object.fromEntries(known) as Counts;
}
