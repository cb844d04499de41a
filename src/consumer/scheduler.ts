/**
 * Decides which message runs next in a free slot, and how many more messages to request.
 *
 * Queues share the slots by weight (stride scheduling): a queue with weight 3 gets three slots for each slot of a queue
 * with weight 1 while both have messages. If one queue is empty, the others get its slots. Within a queue, messages
 * start in order, one at a time per group. Workers that return immediately still yield to I/O.
 */
import type { ContainerSettings } from '../config/config.ts';
import type { Machine } from '../host/host.ts';
import { receiveSize } from './demand.ts';
import type { HeldMessage } from './held-message.ts';
import type { Timings } from './timings.ts';
import type { WaitingMessages } from './waiting-messages.ts';

/** A queue, as the scheduler sees it. */
export interface ScheduledQueue {
  /** Its share of the slots while other queues also have messages. */
  readonly weight: number;
  /** The most messages that a receive returns. */
  readonly maxBatch: number;
  readonly waiting: WaitingMessages;
  readonly timings: Timings;
  /** True right after the start, while nothing is known about the queue. */
  readonly isNew: boolean;
  /** Requests more messages if `wanted` says so. */
  receiveMore(): void;
}

/** A message that has a slot, which it keeps until `free`. */
export interface Turn<Queue> {
  readonly queue: Queue;
  readonly held: HeldMessage;
  /** Milliseconds of the machine's `now()`. */
  readonly since: number;
}

export interface SchedulerOptions {
  readonly settings: Pick<ContainerSettings, 'concurrency' | 'prefetch'>;
  /** How many messages may start; `allow` adds more. Infinity: no limit. */
  readonly allowed: number;
  readonly machine: Machine;
  /** Once this aborts, no more messages start and no more are requested. */
  readonly draining: AbortSignal;
}

/** A queue and its use of the slots. */
interface Lane<Queue> {
  readonly queue: Queue;
  /** How many of its messages currently have a slot. */
  running: number;
  /** How many turns it has had, divided by its weight. */
  had: number;
}

/** How far an idle queue may catch up: one round, that is as many turns as its weight. */
const ROUND = 1;
/** How long workers that return immediately may run before yielding to the event loop, in milliseconds. */
const LONGEST_STRETCH_MS = 1;

export class Scheduler<Queue extends ScheduledQueue> {
  readonly #options: SchedulerOptions;
  /** Sorted so that the queue with the fewest turns for its weight comes first. */
  #lanes: Lane<Queue>[] = [];
  /** The number of rounds that a queue that is never idle has had. */
  #now = 0;
  readonly #turns = new Set<Turn<Queue>>();
  /** The free slots, waiting for a message. */
  readonly #freeSlots: ((turn: Turn<Queue> | undefined) => void)[] = [];
  #allowed: number;
  #started = 0;
  /** When the current stretch of messages without yielding to the event loop began; undefined after yielding. */
  #stretchStartedAt: number | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#allowed = options.allowed;
    options.draining.addEventListener('abort', () => {
      for (const slot of this.#freeSlots.splice(0)) slot(undefined);
    });
  }

  /** Adds a queue that shares the slots. */
  add(queue: Queue): void {
    this.#lanes.push({ queue, running: 0, had: 0 });
  }

  /** The messages that currently have a slot. */
  get turns(): ReadonlySet<Turn<Queue>> {
    return this.#turns;
  }

  /** How many messages of a queue currently have a slot. */
  runningOf(queue: Queue): number {
    return this.#laneOf(queue).running;
  }

  /** The next message for a free slot; waits until one may start. Undefined once the drain has started. */
  async next(): Promise<Turn<Queue> | undefined> {
    const { machine, draining } = this.#options;
    if (this.#stretchIsLong) await new Promise<void>((resolve) => machine.nextTurn(resolve));
    if (draining.aborted) return undefined;
    const turn = this.#start();
    if (turn) return turn;
    return new Promise((resolve) => {
      this.#freeSlots.push(resolve);
      this.#receiveMore();
    });
  }

  /** Frees a slot and the group of its message. A message that did not run does not count. */
  free(turn: Turn<Queue>, wasRun: boolean): void {
    const { queue, held, since } = turn;
    this.#turns.delete(turn);
    this.#laneOf(queue).running -= 1;
    queue.waiting.finished(held);
    queue.timings.handled(this.#options.machine.now() - since);
    if (!wasRun) this.#started -= 1;
  }

  /** Fills the free slots. Call it whenever messages have arrived. */
  fill(): void {
    if (this.#options.draining.aborted) return;
    while (this.#freeSlots.length > 0) {
      const turn = this.#start();
      if (!turn) return;
      this.#freeSlots.shift()!(turn);
    }
  }

  /** Allows this many more messages to start. */
  allow(messages: number): void {
    this.#allowed += messages;
    this.fill();
    this.#receiveMore();
  }

  /** How many messages to request from a queue now, in addition to those already requested. */
  wanted(queue: Queue, asked: number): number {
    const { settings, draining } = this.#options;
    const { concurrency, prefetch } = settings;
    if (draining.aborted) return 0;
    const { maxBatch, timings, waiting } = queue;
    const share = this.shareOf(queue);
    const free = Math.max(0, concurrency - this.#turns.size - this.readyBeside(queue));
    return receiveSize({
      slots: concurrency * share,
      free: Math.ceil(free * share),
      waiting: waiting.ready,
      asked,
      prefetch,
      reserve: this.#lanes.length > 1 ? 1 : 0,
      handlingMs: timings.handlingMs,
      slowestMs: timings.slowestMs,
      receiveMs: timings.receiveMs,
      maxBatch,
      remaining: this.#allowed - this.#started - this.#waiting,
    });
  }

  /** A queue's current share of the slots, among the queues with messages to run: above 0, up to 1. */
  shareOf(queue: Queue): number {
    let weights = queue.weight;
    for (const lane of this.#lanes) if (lane.queue !== queue && mayRun(lane)) weights += lane.queue.weight;
    return queue.weight / weights;
  }

  /** How many messages of other queues could start now. */
  readyBeside(queue: Queue): number {
    let ready = 0;
    for (const other of this.#lanes) if (other.queue !== queue) ready += other.queue.waiting.ready;
    return ready;
  }

  get #waiting(): number {
    let size = 0;
    for (const { queue } of this.#lanes) size += queue.waiting.size;
    return size;
  }

  /** Counts the message as started before requesting more, so that requests do not exceed the message limit. */
  #start(): Turn<Queue> | undefined {
    if (this.#started >= this.#allowed) return undefined;
    this.#lanes.sort((one, other) => this.#hadBy(one) - this.#hadBy(other));
    for (const lane of this.#lanes) {
      const held = lane.queue.waiting.take();
      if (!held) continue;
      const had = this.#hadBy(lane);
      this.#now = Math.max(this.#now, had);
      lane.had = had + ROUND / lane.queue.weight;
      lane.running += 1;
      this.#started += 1;
      const turn = { queue: lane.queue, held, since: this.#options.machine.now() };
      this.#turns.add(turn);
      this.#beginStretch(turn.since);
      this.#receiveMore();
      return turn;
    }
    return undefined;
  }

  #receiveMore(): void {
    for (const { queue } of this.#lanes) queue.receiveMore();
  }

  #beginStretch(now: number): void {
    if (this.#stretchStartedAt !== undefined) return;
    this.#stretchStartedAt = now;
    this.#options.machine.nextTurn(() => {
      this.#stretchStartedAt = undefined;
    });
  }

  get #stretchIsLong(): boolean {
    const startedAt = this.#stretchStartedAt;
    return startedAt !== undefined && this.#options.machine.now() - startedAt > LONGEST_STRETCH_MS;
  }

  #hadBy({ had }: Lane<Queue>): number {
    return Math.max(had, this.#now - ROUND);
  }

  #laneOf(queue: Queue): Lane<Queue> {
    const lane = this.#lanes.find((lane) => lane.queue === queue);
    if (!lane) throw new Error('This queue was not added to the scheduler.');
    return lane;
  }
}

/** Only queues with messages, or new ones, share the slots. */
function mayRun<Queue extends ScheduledQueue>({ queue, running }: Lane<Queue>): boolean {
  return running > 0 || queue.waiting.size > 0 || queue.isNew;
}
