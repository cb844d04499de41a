/**
 * How many messages to ask for: a pure decision from how long handling takes and how long a receive takes,
 * so that fast workers never wait for the network and slow ones hold nothing that another process could run.
 */
import { BATCH_ENTRIES } from '../brokers/rules/limits.ts';

/** What the decision is made from. */
export interface Load {
  /** How many messages of the queue can run at once: its share of the slots. */
  readonly slots: number;
  /** How many of the slots are free for it. */
  readonly free: number;
  /** Received and not started, but for those that wait for another one of their group. */
  readonly waiting: number;
  /** Asked for by requests under way. */
  readonly asked: number;
  /** How long a message keeps its slot, in milliseconds; undefined before the first is done. */
  readonly handlingMs: number | undefined;
  /** The longest of the last messages, in milliseconds; undefined before there were enough to tell. */
  readonly slowestMs: number | undefined;
  /** How long a receive takes that finds messages, in milliseconds; undefined before the first. */
  readonly receiveMs: number | undefined;
  /** How many messages to hold beside those that run: a number, or what fast workers need (`auto`). */
  readonly prefetch: number | 'auto';
  /** How many to hold in any case, so that the queue has one to run when its turn comes. */
  readonly reserve: number;
  /** How many more messages may be held at all (`message_limit`). */
  readonly remaining: number;
}

/** Nothing is asked for that would wait longer than this before it starts, in milliseconds. */
const HORIZON_MS = 500;
/** A slot that waits for the network for less than this share of its time gains less by fetching ahead than it hoards. */
const WORTH_FETCHING_AHEAD = 0.05;

/**
 * The `max` for a receive to start now, or 0 for none.
 *
 *     // idle and new: as many as can start
 *     receiveSize({ slots: 1, free: 1, waiting: 0, asked: 0, handlingMs: undefined, … })    // 1
 *     // 5 ms a message, 20 ms a receive: the next ten, before the last eight have started
 *     receiveSize({ slots: 1, free: 0, waiting: 7, asked: 0, handlingMs: 5, receiveMs: 20, … })    // 10
 *     receiveSize({ slots: 1, free: 0, waiting: 8, asked: 0, handlingMs: 5, receiveMs: 20, … })    // 0
 *     // a minute a message: nothing until the slot is free
 *     receiveSize({ slots: 1, free: 0, waiting: 0, asked: 0, handlingMs: 60_000, receiveMs: 20, … })    // 0
 */
export function receiveSize(load: Load): number {
  const pending = load.waiting + load.asked;
  const { least, most } = ahead(load);
  if (pending >= load.free + least) return 0;
  return Math.max(0, Math.min(load.free + most - pending, BATCH_ENTRIES, load.remaining - load.asked));
}

/** How many messages to hold beside those that can start: below `least` it is time to ask, for up to `most`. */
function ahead(load: Load): { readonly least: number; readonly most: number } {
  if (load.prefetch !== 'auto') {
    // Not message by message: a receive costs the same for ten.
    const step = Math.min(BATCH_ENTRIES, Math.ceil(load.prefetch / 2));
    return { least: load.prefetch - step + 1, most: load.prefetch };
  }
  const least = Math.max(startedDuringReceive(load), load.reserve);
  return { least, most: Math.max(least, startedSoon(load)) };
}

/** How many messages start while a receive is under way; twice that, because both times vary. */
function startedDuringReceive({ slots, handlingMs, receiveMs }: Load): number {
  if (handlingMs === undefined || receiveMs === undefined) return 0;
  if (receiveMs / handlingMs < WORTH_FETCHING_AHEAD) return 0;
  return Math.ceil((2 * slots * receiveMs) / handlingMs);
}

/** By the slow ones: behind one of them would wait all that was fetched because of the fast ones. */
function startedSoon({ slots, slowestMs }: Load): number {
  return slowestMs === undefined ? 0 : Math.floor((slots * HORIZON_MS) / slowestMs);
}
