/**
 * The last hour of a container in steps of five seconds, for charts, and the full snapshots of the last minute, for
 * rates. Its size depends only on the number of queues.
 */
import type { QueueCounts } from '../../brokers/broker.ts';
import { type HistogramCounts, quantile } from '../metrics/histogram.ts';
import { ofQueue, type QueueSnapshot, type Snapshot } from '../metrics/snapshot.ts';
import type { Depths } from './queue-depths.ts';

export const STEP_MS = 5_000;
/** How many steps are kept: those of an hour. */
export const STEPS = 3_600_000 / STEP_MS;
const MINUTE_MS = 60_000;

/** The values of a queue at one time, or during the step before it. */
export interface Point {
  /** Messages in the queue; null: not requested. */
  readonly visible: number | null;
  readonly inFlight: number | null;
  /** Messages per second. */
  readonly handled: number;
  readonly failed: number;
  /** How long workers took, in seconds; null: no worker ended. */
  readonly median: number | null;
  readonly p99: number | null;
  /** Workers that ran. */
  readonly running: number;
}

interface Row {
  readonly at: number;
  readonly queues: Readonly<Record<string, Point>>;
}

/** Points as columns, each as long as `at`. */
export interface Columns {
  /** Milliseconds since the epoch. */
  readonly at: readonly number[];
  readonly queues: Readonly<Record<string, { readonly [Key in keyof Point]: readonly (number | null)[] }>>;
}

/** The snapshot at one time. */
export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly snapshot: Snapshot;
}

export class History {
  readonly #rows: Row[] = [];
  readonly #minute: Sample[];

  constructor(first: Sample) {
    this.#minute = [first];
  }

  /** Adds a step. `depths`: the message counts of queues for which they are known. */
  add(sample: Sample, depths: Depths): void {
    const before = this.#minute.at(-1)!;
    const seconds = Math.max(1, sample.at - before.at) / 1000;
    const points = Object.entries(sample.snapshot.queues).map(([name, queue]): [string, Point] => [
      name,
      pointOf(
        changeOf(queue, ofQueue(before.snapshot.queues, name)),
        queue.running,
        seconds,
        ofQueue(depths, name),
      ),
    ]);
    this.#rows.push({ at: sample.at, queues: Object.fromEntries(points) });
    if (this.#rows.length > STEPS) this.#rows.shift();
    this.#minute.push(sample);
    if (this.#minute.length > MINUTE_MS / STEP_MS + 1) this.#minute.shift();
  }

  /** The oldest sample of the last minute. */
  get minuteBefore(): Sample {
    return this.#minute[0]!;
  }

  /** The points after a time. */
  since(at: number): Columns {
    const rows = this.#rows.filter((row) => row.at > at);
    const names = new Set(rows.flatMap(({ queues }) => Object.keys(queues)));
    return {
      at: rows.map((row) => row.at),
      queues: Object.fromEntries([...names].map((name) => [name, columnsOf(rows, name)])),
    };
  }
}

/** What happened to a queue between two times. */
export interface Change {
  readonly received: number;
  readonly handled: number;
  /** Dropped, retried or buried. */
  readonly failed: number;
  readonly billedRequests: number;
  readonly handling: HistogramCounts;
  readonly age: HistogramCounts;
}

/** The counts of a queue since `before`; undefined: since the start. */
export function changeOf(now: QueueSnapshot, before: QueueSnapshot | undefined): Change {
  return {
    received: now.received - (before?.received ?? 0),
    handled: now.outcomes.handled - (before?.outcomes.handled ?? 0),
    failed: failedOf(now) - (before ? failedOf(before) : 0),
    billedRequests: now.billedRequests - (before?.billedRequests ?? 0),
    handling: differenceOf(now.handling, before?.handling),
    age: differenceOf(now.age, before?.age),
  };
}

function failedOf({ outcomes: { dropped, retried, buried } }: QueueSnapshot): number {
  return dropped + retried + buried;
}

function differenceOf(now: HistogramCounts, before: HistogramCounts | undefined): HistogramCounts {
  if (!before) return now;
  return {
    counts: now.counts.map((count, index) => count - (before.counts[index] ?? 0)),
    sum: now.sum - before.sum,
  };
}

function pointOf(change: Change, running: number, seconds: number, depth: QueueCounts | undefined): Point {
  return {
    visible: depth?.visible ?? null,
    inFlight: depth?.inFlight ?? null,
    handled: rounded(change.handled / seconds),
    failed: rounded(change.failed / seconds),
    median: rounded(quantile(change.handling, 0.5)),
    p99: rounded(quantile(change.handling, 0.99)),
    running,
  };
}

function rounded(value: number): number;
function rounded(value: number | undefined): number | null;
/** Three significant digits: enough for a chart, and short to send. */
function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(3));
}

const NOTHING: Point = {
  visible: null,
  inFlight: null,
  handled: 0,
  failed: 0,
  median: null,
  p99: null,
  running: 0,
};

function columnsOf(rows: readonly Row[], name: string): Columns['queues'][string] {
  const column = (key: keyof Point) => rows.map(({ queues }) => (ofQueue(queues, name) ?? NOTHING)[key]);
  return {
    visible: column('visible'),
    inFlight: column('inFlight'),
    handled: column('handled'),
    failed: column('failed'),
    median: column('median'),
    p99: column('p99'),
    running: column('running'),
  };
}
