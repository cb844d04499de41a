/**
 * How many messages to request. A pure decision based on how long handling and receiving take: fast workers never wait
 * for the network, and slow workers do not hold messages that another process could run.
 */

/** The numbers that the decision is based on. */
export interface Load {
  /** How many messages from the queue can run at once: its share of the slots. */
  readonly slots: number;
  /** How many slots are free for the queue. */
  readonly free: number;
  /** Received and not started, except messages waiting for another message of their group. */
  readonly waiting: number;
  /** Already requested by receives in progress. */
  readonly asked: number;
  /** How long a message keeps its slot, in milliseconds; undefined until the first one finishes. */
  readonly handlingMs: number | undefined;
  /** The slowest of the recent messages, in milliseconds; undefined until there are enough samples. */
  readonly slowestMs: number | undefined;
  /** How long a receive that finds messages takes, in milliseconds; undefined until the first. */
  readonly receiveMs: number | undefined;
  /** How many messages to hold in addition to those running: a number, or as many as fast workers need (`auto`). */
  readonly prefetch: number | 'auto';
  /** How many to hold in any case, so that the queue has a message to run when its turn comes. */
  readonly reserve: number;
  /** The most messages that a receive returns: the queue's `limits.maxBatch`. */
  readonly maxBatch: number;
  /** How many more messages may be held at all (`message_limit`). */
  readonly remaining: number;
}

/** Do not request messages that would wait longer than this before they start, in milliseconds. */
export const HORIZON_MS = 500;
/** If slots wait for the network less than this share of the time, fetching ahead is not worth holding messages. */
const WORTH_FETCHING_AHEAD = 0.05;

/**
 * The `max` for a receive to start now; 0 means do not receive.
 *
 *     // idle and new: as many as can start now
 *     receiveSize({ slots: 1, free: 1, waiting: 0, asked: 0, handlingMs: undefined, … })    // 1
 *     // 5 ms per message, 20 ms per receive: ten more, before the last eight have started
 *     receiveSize({ slots: 1, free: 0, waiting: 7, asked: 0, handlingMs: 5, receiveMs: 20, … })    // 10
 *     receiveSize({ slots: 1, free: 0, waiting: 8, asked: 0, handlingMs: 5, receiveMs: 20, … })    // 0
 *     // a minute per message: none until the slot is free
 *     receiveSize({ slots: 1, free: 0, waiting: 0, asked: 0, handlingMs: 60_000, receiveMs: 20, … })    // 0
 */
export function receiveSize(load: Load): number {
  const pending = load.waiting + load.asked;
  const { least, most } = ahead(load);
  if (pending >= load.free + least) return 0;
  return Math.max(0, Math.min(load.free + most - pending, load.maxBatch, load.remaining - load.asked));
}

/** How many messages to hold in addition to those that can start: request more below `least`, up to `most`. */
function ahead(load: Load): { readonly least: number; readonly most: number } {
  if (load.prefetch !== 'auto') {
    // Not one message at a time: a full receive costs the same.
    const step = Math.min(load.maxBatch, Math.ceil(load.prefetch / 2));
    return { least: load.prefetch - step + 1, most: load.prefetch };
  }
  const least = Math.max(startedDuringReceive(load), load.reserve);
  return { least, most: Math.max(least, startedSoon(load)) };
}

/** Twice the number of messages that start during a receive, because both times vary. */
function startedDuringReceive({ slots, handlingMs, receiveMs }: Load): number {
  if (handlingMs === undefined || receiveMs === undefined) return 0;
  if (receiveMs / handlingMs < WORTH_FETCHING_AHEAD) return 0;
  return Math.ceil((2 * slots * receiveMs) / handlingMs);
}

/** Based on the slowest messages: everything fetched for the fast ones would wait behind a slow one. */
function startedSoon({ slots, slowestMs }: Load): number {
  return slowestMs === undefined ? 0 : Math.floor((slots * HORIZON_MS) / slowestMs);
}
