/**
 * Whose turn it is: hands the slots the next messages, and knows how many more to ask for.
 *
 * The slots are shared among queues by their weights (stride scheduling): a queue of weight 3 gets three slots for each
 * one of a queue of weight 1, as long as both have messages; if one is empty, the other gets its slots. Within a queue
 * messages start in order, of a group one at a time. Workers that return at once let I/O have its turn in between.
 */
import type { ContainerSettings } from '../config/config.ts';
import type { Machine } from '../host/host.ts';
import { receiveSize } from './demand.ts';
import type { HeldMessage } from './held-message.ts';
import type { Timings } from './timings.ts';
import type { WaitingMessages } from './waiting-messages.ts';

/** A queue with messages to run, as the scheduler sees it. */
export interface ScheduledQueue {
  /** Its share of the slots while other queues have messages, too. */
  readonly weight: number;
  readonly waiting: WaitingMessages;
  readonly timings: Timings;
  /** True right after the start, while nothing is known of the queue. */
  readonly isNew: boolean;
  /** Asks for more messages, if `wanted` says so. */
  receiveMore(): void;
}

/** A message whose turn has come. It keeps its slot until `free`. */
export interface Turn<Queue> {
  readonly queue: Queue;
  readonly held: HeldMessage;
  /** Milliseconds of the machine's `now()`. */
  readonly since: number;
}

export interface SchedulerOptions {
  readonly settings: Pick<ContainerSettings, 'concurrency' | 'prefetch'>;
  /** How many messages may start; more with `allow`. Infinity: all. */
  readonly allowed: number;
  readonly machine: Machine;
  /** Once it aborts nothing more starts, and nothing more is wanted. */
  readonly draining: AbortSignal;
}

/** A queue, and what it has had of the slots. */
interface Lane<Queue> {
  readonly queue: Queue;
  /** How many of its messages have a slot now. */
  running: number;
  /** How many turns it has had, in rounds. */
  had: number;
}

/** A queue that had nothing to run for a while does not catch up, except for one round: as many turns as its weight. */
const ROUND = 1;
/** Workers that return at once run on without a turn of the event loop for at most this long, in milliseconds. */
const LONGEST_STRETCH_MS = 1;

export class Scheduler<Queue extends ScheduledQueue> {
  readonly #options: SchedulerOptions;
  /** Those that had the least for their weight come first. */
  #lanes: Lane<Queue>[] = [];
  /** How much those have had that always have something to run. */
  #now = 0;
  readonly #turns = new Set<Turn<Queue>>();
  /** The free slots, which wait for a message. */
  readonly #freeSlots: ((turn: Turn<Queue> | undefined) => void)[] = [];
  #allowed: number;
  #started = 0;
  /** When messages began to start without a turn of the event loop in between; undefined after a turn. */
  #stretchStartedAt: number | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#allowed = options.allowed;
    options.draining.addEventListener('abort', () => {
      for (const slot of this.#freeSlots.splice(0)) slot(undefined);
    });
  }

  /** Shares the slots with one more queue. */
  add(queue: Queue): void {
    this.#lanes.push({ queue, running: 0, had: 0 });
  }

  /** The messages that have a slot now. */
  get turns(): ReadonlySet<Turn<Queue>> {
    return this.#turns;
  }

  /** How many messages of a queue have a slot now. */
  runningOf(queue: Queue): number {
    return this.#laneOf(queue).running;
  }

  /** The next message for a slot that is free; waits until one may start. Undefined once the drain has begun. */
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

  /** The slot of a message is free, and the next one of its group may start. One that was not run does not count. */
  free(turn: Turn<Queue>, wasRun: boolean): void {
    const { queue, held, since } = turn;
    this.#turns.delete(turn);
    this.#laneOf(queue).running -= 1;
    queue.waiting.finished(held);
    queue.timings.handled(this.#options.machine.now() - since);
    if (!wasRun) this.#started -= 1;
  }

  /** Starts what can start. Call it whenever messages have come. */
  fill(): void {
    if (this.#options.draining.aborted) return;
    while (this.#freeSlots.length > 0) {
      const turn = this.#start();
      if (!turn) return;
      this.#freeSlots.shift()!(turn);
    }
  }

  /** Lets so many more messages start. */
  allow(messages: number): void {
    this.#allowed += messages;
    this.fill();
    this.#receiveMore();
  }

  /** How many messages to ask a queue for now, beside those that it is asked for already. */
  wanted(queue: Queue, asked: number): number {
    const { settings, draining } = this.#options;
    const { concurrency, prefetch } = settings;
    if (draining.aborted) return 0;
    const { timings, waiting } = queue;
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
      remaining: this.#allowed - this.#started - this.#waiting,
    });
  }

  /** The part of the slots that is a queue's now, among those that have something to run: above 0, up to 1. */
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

  /** Counted as started before more is asked for, which must not exceed the message limit. */
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

/** Only such queues share the slots. */
function mayRun<Queue extends ScheduledQueue>({ queue, running }: Lane<Queue>): boolean {
  return running > 0 || queue.waiting.size > 0 || queue.isNew;
}
