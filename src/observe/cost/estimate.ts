/**
 * Estimates how many requests to SQS a month of work takes: a pure model of how the containers poll and delete. It is right at
 * its ends, which are measured (docs/benchmarks.md): 0.2 requests a message while there is always work, 180 an hour without any;
 * in between, with 2 to 100 messages a second, it was within 10 % of what a container did with a stub of SQS.
 * Retries, backlogs and extensions of visibility timeouts are not in it.
 */
import { BATCH_ENTRIES } from '../../brokers/rules/limits.ts';
import { nextIdlePause } from '../../consumer/pauses.ts';
import { billedRequests, SECONDS_A_MONTH } from './cost.ts';

export interface Workload {
  /** Messages a second, of all queues together, evenly through the month. */
  readonly rate: number;
  /** Bytes of a message, attributes included. */
  readonly size: number;
  /** Seconds that a worker takes for a message. */
  readonly handling: number;
}

/** How messages are taken; the options of the ini file. */
export interface Setup {
  /** How many processes poll, of all containers together. */
  readonly processes: number;
  /** How many queues each of them polls. */
  readonly queues: number;
  /** How many messages a process handles at once. */
  readonly slots: number;
  /** Seconds of a long poll. */
  readonly poll: number;
  /** The longest pause between polls of an empty queue, in seconds. */
  readonly idlePause: number;
  /** Seconds for which deletes are gathered. */
  readonly settleDelay: number;
}

/** Billed requests a month, by action of the SQS API. */
export interface Requests {
  readonly SendMessage: number;
  readonly ReceiveMessage: number;
  readonly DeleteMessage: number;
}

/** SQS: the longest long poll, in seconds. */
const LONGEST_POLL = 20;
/** What comes in this time after a receive is in the next one, in seconds: as measured where a request takes 20 ms. */
const BETWEEN_RECEIVES = 0.015;
/** Nothing is asked for that would wait longer than this before it starts, in seconds. */
const HORIZON = 0.5;

/** What the containers need. Each message is sent by a request of its own. */
export function containerRequests(workload: Workload, setup: Setup): Requests {
  const { rate, size, handling } = workload;
  const pollers = setup.processes * setup.queues;
  const each = rate / pollers;
  const batch = batchSize(rate / setup.processes, handling, setup.slots);
  const polls = pollRate(each, { ...setup, batch });
  const deletes = each / Math.min(BATCH_ENTRIES, 1 + each * setup.settleDelay);
  return monthly(rate, size, { polls: polls * pollers, deletes: deletes * pollers });
}

/** What as many naive consumers need: a receive and a delete for each message, and long polls without pauses. */
export function naiveRequests({ rate, size }: Workload, { processes, queues, poll }: Setup): Requests {
  const pollers = processes * queues;
  const polls = pollRate(rate / pollers, { poll, idlePause: 0, batch: 1 });
  return monthly(rate, size, { polls: polls * pollers, deletes: rate });
}

/** How many messages a receive asks for: those that can start soon, as `demand.ts` has it. */
function batchSize(rate: number, handling: number, slots: number): number {
  const busy = Math.min(slots, rate * handling);
  const soon = handling > 0 ? Math.floor((slots * HORIZON) / handling) : BATCH_ENTRIES;
  return Math.min(BATCH_ENTRIES, Math.max(1, Math.floor(slots - busy) + soon));
}

interface Polling {
  readonly poll: number;
  readonly idlePause: number;
  /** The most messages of a receive. */
  readonly batch: number;
}

/**
 * Receives a second of one poller on one queue, to which `rate` messages a second come at random.
 *
 * From one receive with messages to the next, there are polls and pauses, the pauses growing with each empty poll. Poll
 * number k comes if none before it got a message; a message that came during the pause ends it at once.
 */
export function pollRate(rate: number, { poll, idlePause, batch }: Polling): number {
  const wait = Math.min(poll, LONGEST_POLL);
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
    // From here on, all polls are alike: the rest of the series is a geometric one, which without messages never ends.
    if (isLongest && quiet >= 1) return 1 / length;
    const times = isLongest ? reached / (1 - quiet) : reached;
    polls += times;
    seconds += times * length;
    if (isLongest) break;
    reached *= quiet;
    pause = nextIdlePause(pause * 1000, idlePause * 1000) / 1000;
  }
  // More than one receive has to carry them when they come faster.
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
