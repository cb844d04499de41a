/**
 * The current status of a container: the format of `/status.json`, which the page shows, and plain text, for terminals
 * and for tools that read lines (django-sqs). Names and units do not change; fields may be added.
 */
import type { QueueCounts } from '../../brokers/broker.ts';
import { printable } from '../../message/log-lines.ts';
import { type CostStatus, costOf } from '../cost/cost.ts';
import { type HistogramCounts, quantile } from '../metrics/histogram.ts';
import {
  type Failure,
  type OutcomeCounts,
  ofQueue,
  type QueueSnapshot,
  type Snapshot,
} from '../metrics/snapshot.ts';
import type { ContainerState, ProcessStatus } from './health.ts';
import { type Change, changeOf, type Sample } from './history.ts';
import type { Depths } from './queue-depths.ts';

export interface Status {
  /** Milliseconds since the epoch, like all times here. */
  readonly at: number;
  readonly container: ContainerStatus;
  /** Why `/healthz` fails; empty: the container is healthy. */
  readonly problems: readonly string[];
  readonly queues: readonly QueueStatus[];
  readonly processes: readonly ProcessStatus[];
  readonly cost: CostStatus;
  /** The last failures, newest first. */
  readonly failures: readonly Failure[];
}

/** Facts that do not change while a container runs. */
export interface ContainerFacts {
  /** `sqs-concurrent` */
  readonly program: string;
  /** The name of the ini file. */
  readonly file: string;
  readonly version: string;
  /** The role of each queue, by name. */
  readonly roles: Readonly<Record<string, QueueRole>>;
  /** Whether the queues are on Amazon SQS, which costs money. */
  readonly isOnSqs: boolean;
}

/** `worked`: its messages are handled here; `dead_letter`: it gets failed messages; `other`: a worker sends to it. */
export type QueueRole = 'worked' | 'dead_letter' | 'other';

export interface ContainerStatus extends Omit<ContainerFacts, 'roles' | 'isOnSqs'> {
  /** Description of the broker, for people; empty before the container is connected. */
  readonly broker: string;
  readonly state: ContainerState;
  readonly startedAt: number;
  /** How many messages can run at the same time. */
  readonly slots: number;
  /** How many messages run now. */
  readonly running: number;
  /** How many messages are held: waiting, running and settling. */
  readonly held: number;
  /** Why the message counts are unknown; null: they are known. */
  readonly countsProblem: string | null;
}

/** The median and the 99th percentile of durations, in seconds. */
export interface Spread {
  readonly median: number;
  readonly p99: number;
}

export interface QueueStatus {
  readonly name: string;
  readonly role: QueueRole;
  /** Messages in the queue, approximate; null: unknown. */
  readonly messages: QueueCounts | null;
  readonly held: number;
  readonly running: number;
  /** True while receives fail. */
  readonly failing: boolean;
  /** Messages per second, over the last minute. `failed`: dropped, retried or buried. */
  readonly rates: { readonly received: number; readonly handled: number; readonly failed: number };
  /** How long workers took, over the last minute; null: no worker ended. */
  readonly handling: Spread | null;
  /** How old messages were when received, over the last minute; null: none were received. */
  readonly age: Spread | null;
  /** Since the start: messages received, and messages by outcome. */
  readonly received: number;
  readonly outcomes: OutcomeCounts;
  /** Receives since the start: with messages, without messages, and failed. */
  readonly receives: { readonly full: number; readonly empty: number; readonly failed: number };
  readonly leaseExtensions: number;
  readonly leasesLost: number;
  /** Requests since the start: by action of the SQS API, and as billed by SQS. */
  readonly requests: Readonly<Record<string, number>>;
  readonly billedRequests: number;
}

export interface StatusInput {
  readonly at: number;
  readonly facts: ContainerFacts;
  readonly broker: string;
  readonly state: ContainerState;
  readonly total: Snapshot;
  /** The snapshot from a minute ago. */
  readonly before: Sample;
  readonly depths: Depths;
  readonly countsProblem: string | undefined;
  readonly processes: readonly ProcessStatus[];
  readonly problems: readonly string[];
}

export function statusOf(input: StatusInput): Status {
  const { at, total, before, processes, problems } = input;
  const { roles, isOnSqs, ...facts } = input.facts;
  const seconds = Math.max(1, (at - before.at) / 1000);
  const names = [...new Set([...Object.keys(roles), ...Object.keys(total.queues)])];
  const queues = names.map((name) => {
    const queue = ofQueue(total.queues, name) ?? NOTHING;
    const change = changeOf(queue, ofQueue(before.snapshot.queues, name));
    return {
      status: queueStatus(name, ofQueue(roles, name) ?? 'other', queue, change, seconds, input.depths),
      change,
    };
  });
  return {
    at,
    container: {
      ...facts,
      broker: input.broker,
      state: input.state,
      startedAt: total.startedAt,
      slots: total.slots,
      running: sum(queues, ({ status }) => status.running),
      held: sum(queues, ({ status }) => status.held),
      countsProblem: input.countsProblem ?? null,
    },
    problems,
    queues: queues.map(({ status }) => status),
    processes,
    cost: costOf(
      isOnSqs,
      queues.map(({ status: { name, billedRequests, received }, change }) => ({
        name,
        billedRequests,
        received,
        perSecond: change.billedRequests / seconds,
      })),
    ),
    failures: total.failures,
  };
}

const NO_DURATIONS: HistogramCounts = { counts: [], sum: 0 };

/** For a queue without counts. */
const NOTHING: QueueSnapshot = {
  worked: false,
  received: 0,
  emptyReceives: 0,
  fullReceives: 0,
  failedReceives: 0,
  outcomes: { handled: 0, dropped: 0, retried: 0, buried: 0 },
  handling: NO_DURATIONS,
  age: NO_DURATIONS,
  leaseExtensions: 0,
  leasesLost: 0,
  held: 0,
  running: 0,
  failing: 0,
  silentSeconds: 0,
  requests: {},
  billedRequests: 0,
};

function queueStatus(
  name: string,
  role: QueueRole,
  queue: QueueSnapshot,
  change: Change,
  seconds: number,
  depths: Depths,
): QueueStatus {
  const { emptyReceives: empty, fullReceives: full, failedReceives: failed } = queue;
  return {
    name,
    role,
    messages: ofQueue(depths, name) ?? null,
    held: queue.held,
    running: queue.running,
    failing: queue.failing > 0,
    rates: {
      received: change.received / seconds,
      handled: change.handled / seconds,
      failed: change.failed / seconds,
    },
    handling: spreadOf(change.handling),
    age: spreadOf(change.age),
    received: queue.received,
    outcomes: queue.outcomes,
    receives: { full, empty, failed },
    leaseExtensions: queue.leaseExtensions,
    leasesLost: queue.leasesLost,
    requests: queue.requests,
    billedRequests: queue.billedRequests,
  };
}

function spreadOf(durations: HistogramCounts): Spread | null {
  const median = quantile(durations, 0.5);
  const p99 = quantile(durations, 0.99);
  return median === undefined || p99 === undefined ? null : { median, p99 };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/**
 * The text of `/status`: one line for the container, one for each queue and process, then problems and failures.
 *
 *     sqs-sequential worker.ini: running since 2026-11-21T10:00:00.000Z, 1 of 1 slots busy, 3 held
 *     queue adder: 12 visible, 3 in flight, 0 delayed; 4.2/s handled, 0/s failed; takes 5 ms, 99% within 20 ms
 */
export function statusText({ container, queues, processes, problems, failures }: Status): string {
  const { program, file, state, startedAt, slots, running, held, countsProblem } = container;
  return [
    `${program} ${file}: ${state} since ${new Date(startedAt).toISOString()}, ${running} of ${slots} slots busy, ${held} held`,
    ...queues.filter(({ role }) => role !== 'other').map(queueLine),
    ...processes.map(
      ({ number, pid, state, memoryBytes, held }) =>
        `process ${number}: pid ${pid}, ${state}, ${memoryBytes === null ? 'memory unknown' : `${Math.round(memoryBytes / 2 ** 20)} MB`}, ${held} held`,
    ),
    ...problems.map((problem) => `problem: ${problem}`),
    ...(countsProblem === null
      ? []
      : [`problem: the message counts of the queues are unknown: ${oneLine(countsProblem)}`]),
    ...failures.map(
      ({ at, queue, messageId, outcome, error }) =>
        `failure: ${new Date(at).toISOString()} ${queue} ${printable(messageId)} ${outcome}: ${oneLine(error)}`,
    ),
    '',
  ].join('\n');
}

function queueLine({ name, role, messages, rates, handling, age, failing }: QueueStatus): string {
  const counts = messages
    ? `${messages.visible} visible, ${messages.inFlight} in flight, ${messages.delayed} delayed`
    : 'messages unknown';
  if (role === 'dead_letter') return `dead-letter queue ${name}: ${counts}`;
  return [
    `queue ${name}: ${counts}`,
    `${short(rates.handled)}/s handled, ${short(rates.failed)}/s failed`,
    ...spread('takes', handling),
    ...spread('aged', age),
    ...(failing ? ['RECEIVES FAIL'] : []),
  ].join('; ');
}

function spread(verb: string, durations: Spread | null): string[] {
  return durations ? [`${verb} ${duration(durations.median)}, 99% within ${duration(durations.p99)}`] : [];
}

/** `5 ms`, `1.2 s`: a duration in seconds, with two significant digits. */
function duration(seconds: number): string {
  return seconds < 1 ? `${short(seconds * 1000)} ms` : `${short(seconds)} s`;
}

function short(value: number): string {
  return String(value >= 10 ? Math.round(value) : Number(value.toPrecision(2)));
}

function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' '));
}
