/**
 * Estimates how many requests to SQS a month of work takes: a pure model of how containers poll and delete. Its extremes
 * match measurements (docs/benchmarks.md): 0.2 requests per message under constant load, 180 per hour when idle. In
 * between, at 2 to 100 messages per second, it was within 10% of a real container's requests to a stub of SQS.
 * It does not include retries, backlogs and extensions of visibility timeouts.
 */
import { BATCH_ENTRIES, MAX_WAIT_SECONDS } from '../../brokers/rules/limits.ts';
import { HORIZON_MS } from '../../consumer/demand.ts';
import { nextIdlePause } from '../../consumer/pauses.ts';
import { billedRequests, SECONDS_A_MONTH } from './cost.ts';

export interface Workload {
  /** Messages per second, of all queues together, evenly over the month. */
  readonly rate: number;
  /** Size of a message in bytes, including attributes. */
  readonly size: number;
  /** How long a worker takes for a message, in seconds. */
  readonly handling: number;
}

/** How the containers receive messages; options of the ini file. */
export interface Setup {
  /** Number of processes that poll, in all containers together. */
  readonly processes: number;
  /** Number of queues that each process polls. */
  readonly queues: number;
  /** Messages that a process handles at once. */
  readonly slots: number;
  /** Duration of a long poll, in seconds. */
  readonly poll: number;
  /** The longest pause between polls of an empty queue, in seconds. */
  readonly idlePause: number;
  /** How long deletes are collected into a batch, in seconds. */
  readonly settleDelay: number;
}

/** Billed requests per month, by action of the SQS API. */
export interface Requests {
  readonly SendMessage: number;
  readonly ReceiveMessage: number;
  readonly DeleteMessage: number;
}

/** Seconds between two receives, during which messages collect for the next one. Measured at 20 ms per request. */
const BETWEEN_RECEIVES = 0.015;

/** The requests of our containers. Each message is sent with its own request. */
export function containerRequests(workload: Workload, setup: Setup): Requests {
  const { rate, size, handling } = workload;
  const pollers = setup.processes * setup.queues;
  const each = rate / pollers;
  const batch = batchSize(rate / setup.processes, handling, setup.slots);
  const polls = pollRate(each, { ...setup, batch });
  const deletes = each / Math.min(BATCH_ENTRIES, 1 + each * setup.settleDelay);
  return monthly(rate, size, { polls: polls * pollers, deletes: deletes * pollers });
}

/** The requests of as many naive consumers: a receive and a delete for each message, and long polls without pauses. */
export function naiveRequests({ rate, size }: Workload, { processes, queues, poll }: Setup): Requests {
  const pollers = processes * queues;
  const polls = pollRate(rate / pollers, { poll, idlePause: 0, batch: 1 });
  return monthly(rate, size, { polls: polls * pollers, deletes: rate });
}

/** How many messages a receive requests: those that can start soon, as in `demand.ts`. */
function batchSize(rate: number, handling: number, slots: number): number {
  const busy = Math.min(slots, rate * handling);
  const soon = handling > 0 ? Math.floor((slots * HORIZON_MS) / 1000 / handling) : BATCH_ENTRIES;
  return Math.min(BATCH_ENTRIES, Math.max(1, Math.floor(slots - busy) + soon));
}

interface Polling {
  readonly poll: number;
  readonly idlePause: number;
  /** The most messages of a receive. */
  readonly batch: number;
}

/**
 * Receives per second of one poller on one queue, in which `rate` messages per second arrive at random.
 *
 * Between two receives with messages there are empty polls and pauses, and the pauses grow with each empty poll. Poll
 * number k happens if no earlier poll got a message. If a message arrived during the pause before it, it returns
 * immediately.
 */
export function pollRate(rate: number, { poll, idlePause, batch }: Polling): number {
  const wait = Math.min(poll, MAX_WAIT_SECONDS);
  let polls = 0;
  let seconds = 0;
  let reached = 1;
  let pause = 0;
  for (;;) {
    const quietPause = Math.exp(-rate * pause);
    const quiet = quietPause * Math.exp(-rate * wait);
    const length =
      pause + BETWEEN_RECEIVES + quietPause * (rate > 0 ? -Math.expm1(-rate * wait) / rate : wait);
    const isLongest = pause >= idlePause;
    // From here on, all polls are alike: the rest is a geometric series, which never ends if there are no messages.
    if (isLongest && quiet >= 1) return 1 / length;
    const times = isLongest ? reached / (1 - quiet) : reached;
    polls += times;
    seconds += times * length;
    if (isLongest) break;
    reached *= quiet;
    pause = nextIdlePause(pause * 1000, idlePause * 1000) / 1000;
  }
  // If messages arrive faster, more receives are needed to carry them.
  return Math.max(polls / seconds, rate / batch);
}

function monthly(
  rate: number,
  size: number,
  { polls, deletes }: { readonly polls: number; readonly deletes: number },
): Requests {
  const full = Math.min(polls, rate);
  const perReceive = full === 0 ? 0 : rate / full;
  return {
    SendMessage: rate * billedRequests(size) * SECONDS_A_MONTH,
    ReceiveMessage: (polls - full + full * billedRequests(size * perReceive)) * SECONDS_A_MONTH,
    DeleteMessage: deletes * SECONDS_A_MONTH,
  };
}
