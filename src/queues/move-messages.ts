/**
 * Moves messages from one queue to another without losing any: receives each message, sends a copy, and deletes the
 * original once the copy is accepted. Messages that are not moved stay in flight until the end, so that each is checked
 * only once, and are then returned to the queue.
 */
import type { Broker, Message, PeekedMessage, Queue } from '../brokers/broker.ts';
import { copyOf } from '../brokers/rules/messages.ts';
import { type Machine, realMachine } from '../host/host.ts';
import { SendError } from '../producer/send-results.ts';
import { Sender } from '../producer/sender.ts';
import { returnMessages, WAIT_SECONDS } from './peek-messages.ts';

export interface MovingOptions {
  /** Which messages to move. Default: all. */
  readonly matches?: ((message: PeekedMessage) => boolean) | undefined;
  /** The most messages to move. Default: no limit. */
  readonly limit?: number | undefined;
  /** Only counts the messages that would be moved. Default false. */
  readonly isDryRun?: boolean;
  /** Stops early; messages not moved yet are returned to the queue. */
  readonly signal?: AbortSignal;
  /** Called at the start and after each step. */
  readonly onProgress?: (report: MoveReport) => void;
  /** Provides the turns of the event loop, timers and IDs. Default: the real ones. */
  readonly machine?: Machine;
}

export interface MoveReport {
  /** How many messages were visible at the start. No more are checked, because messages that fail again come back. */
  readonly total: number;
  /**
   * How many were checked. Fewer than `total` if other consumers received some, the limit was reached, or, on a FIFO
   * queue, some wait behind a message of their group that was not moved.
   */
  readonly looked: number;
  /** How many were moved or, in a dry run, would be moved. */
  readonly moved: number;
  /** Messages that the target refused, which stay in the source, or that could not be deleted and are now in both. */
  readonly failed: readonly { readonly id: string; readonly error: Error }[];
}

/** The time limit for moving a message, from receive to delete, in seconds. */
const MOVING_SECONDS = 60;
/** How long messages that are not moved stay invisible, in seconds: longer than it takes to check all messages. */
const KEPT_SECONDS = 900;
/** How many batches to move in parallel, unless their order matters. */
const BATCHES_AT_ONCE = 4;

/** Moves the visible messages in `source` to `target`, with attributes and message groups. Throws BrokerError. */
export async function moveMessages(
  broker: Pick<Broker, 'description' | 'maxDelaySeconds'>,
  source: Queue,
  target: Queue,
  options: MovingOptions = {},
): Promise<MoveReport> {
  const { visible } = await source.counts();
  if (options.isDryRun && source.inspect?.peek) {
    return preview(await source.inspect.peek(Math.max(1, visible)), options);
  }
  return new Pass(source, new Sender(broker, target, options.machine), target.fifo, visible, options).run();
}

function preview(
  messages: readonly PeekedMessage[],
  { matches = () => true, limit }: MovingOptions,
): MoveReport {
  const moved = Math.min(messages.filter(matches).length, limit ?? Number.POSITIVE_INFINITY);
  return { total: messages.length, looked: messages.length, moved, failed: [] };
}

/** One pass through the queue. */
class Pass {
  readonly #source: Queue;
  readonly #sender: Sender;
  readonly #toFifo: boolean;
  readonly #total: number;
  readonly #options: MovingOptions;
  readonly #limit: number;
  readonly #seen = new Set<string>();
  readonly #kept: Message[] = [];
  readonly #failed: { readonly id: string; readonly error: Error }[] = [];
  #asked = 0;
  #picked = 0;
  #moved = 0;
  #isOver = false;

  constructor(source: Queue, sender: Sender, toFifo: boolean, total: number, options: MovingOptions) {
    this.#source = source;
    this.#sender = sender;
    this.#toFifo = toFifo;
    this.#total = total;
    this.#options = options;
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
  }

  async run(): Promise<MoveReport> {
    this.#options.onProgress?.(this.#report);
    const lanes = Array.from({ length: this.#source.fifo ? 1 : BATCHES_AT_ONCE }, () => this.#lane());
    const ends = await Promise.allSettled(lanes);
    const failure = ends.find((end) => end.status === 'rejected');
    try {
      await returnMessages(this.#source, this.#kept);
    } catch (error) {
      // If the broker is unreachable, report the first error.
      if (!failure) throw error;
    }
    if (failure) throw failure.reason;
    return this.#report;
  }

  get #report(): MoveReport {
    return { total: this.#total, looked: this.#seen.size, moved: this.#moved, failed: this.#failed };
  }

  async #lane(): Promise<void> {
    const { machine = realMachine } = this.#options;
    try {
      while (!this.#isOver && !this.#options.signal?.aborted) {
        await this.#batch();
        // An embedded broker responds without any I/O. Without a break, timers and signals would wait until the end.
        await new Promise<void>((resolve) => machine.nextTurn(resolve));
      }
    } finally {
      this.#isOver = true;
    }
  }

  async #batch(): Promise<void> {
    const { maxBatch } = this.#source.limits;
    const max = Math.min(maxBatch, this.#total - this.#seen.size - this.#asked);
    if (max <= 0 || this.#picked >= this.#limit) {
      this.#isOver = true;
      return;
    }
    this.#asked += max;
    const { matches = () => true, isDryRun = false, onProgress } = this.#options;
    const keepsSome = isDryRun || this.#options.matches !== undefined || Number.isFinite(this.#limit);
    const messages = await this.#source.receive({
      max,
      waitSeconds: WAIT_SECONDS,
      visibilityTimeout: keepsSome ? KEPT_SECONDS : MOVING_SECONDS,
    });
    this.#asked -= max;
    // A message received again was already checked: this pass took longer than its visibility timeout.
    const fresh = messages.filter(({ id }) => !this.#seen.has(id));
    if (fresh.length === 0) this.#isOver = true;
    for (const { id } of fresh) this.#seen.add(id);
    const picked = fresh.filter(matches).slice(0, this.#limit - this.#picked);
    this.#picked += picked.length;
    this.#kept.push(...messages.filter((message) => isDryRun || !picked.includes(message)));
    if (isDryRun) this.#moved += picked.length;
    else if (picked.length > 0) await this.#move(picked);
    onProgress?.(this.#report);
  }

  async #move(messages: readonly Message[]): Promise<void> {
    const sent = await Promise.allSettled(
      messages.map((message) => this.#sender.send(copyOf(message, this.#toFifo))),
    );
    const accepted = messages.filter((_, index) => sent[index]?.status === 'fulfilled');
    if (accepted.length > 0) await this.#delete(accepted);
    const refused = sent.flatMap((result, index) =>
      result.status === 'rejected' ? [{ message: messages[index]!, error: result.reason as Error }] : [],
    );
    this.#kept.push(...refused.map(({ message }) => message));
    const failure = refused.find(({ error }) => !(error instanceof SendError));
    if (failure) throw failure.error;
    this.#failed.push(...refused.map(({ message: { id }, error }) => ({ id, error })));
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    const results = await this.#source.delete(messages.map(({ receiptHandle }) => receiptHandle));
    this.#moved += messages.length;
    for (const [index, { id }] of messages.entries()) {
      const result = results[index];
      if (!result || result.ok) continue;
      const text = `The message ${id} was copied but could not be deleted from its queue: ${result.code}: ${result.message}`;
      this.#failed.push({ id, error: new Error(text) });
    }
  }
}
