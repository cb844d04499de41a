/**
 * Redrives: moves the messages in a dead-letter queue back to where they can be handled again.
 *
 * 1. `redriveTargets` finds the queues that the messages belong to.
 * 2. `redriveQueue` asks the broker to move them if it can, and if all messages are wanted (SQS: StartMessageMoveTask).
 * 3. Otherwise it moves the messages that match the filter one by one.
 *
 * `redrive` is the exported function: it moves all messages from one named queue to another.
 */
import type { Broker, MoveProgress, MoveTask, PeekedMessage, Queue } from '../brokers/broker.ts';
import { BrokerError } from '../brokers/errors.ts';
import { fullName } from '../config/queue-names.ts';
import { connect } from '../producer/connections.ts';
import type { QueueOptions } from '../producer/producer.ts';
import { type MoveReport, moveMessages } from './move-messages.ts';
import { openExisting } from './open-queue.ts';

/** How often to ask the broker for the progress of its own move, in milliseconds. */
const POLL_MS = 1_000;

/**
 * Moves the visible messages in queue `from` to queue `to`, with attributes and message groups; resolves to the number
 * of moved messages. A message is deleted only once its copy is accepted, so none is lost. Uses the same broker and
 * prefix as `queue(name)`. Throws QueueNotFoundError, BrokerError, and SendError for a message that `to` refuses, which
 * stays in `from`.
 */
export async function redrive(from: string, to: string, options: QueueOptions = {}): Promise<number> {
  const { broker, prefix } = await connect(options.broker);
  const source = await broker.open(fullName(from, { prefix }));
  const target = await broker.open(fullName(to, { prefix }));
  const { moved, failed } = await moveMessages(broker, source, target);
  if (failed[0]) throw failed[0].error;
  return moved;
}

/** Which messages to move: those that match every given condition. */
export interface MessageFilter {
  /** A substring of the body. */
  readonly text?: string;
  /** Names and values of String or Number attributes. */
  readonly attributes?: readonly (readonly [name: string, value: string])[];
  /** Sent at least this many seconds ago. */
  readonly olderThan?: number;
}

/**
 * A test for messages; undefined if all messages match. `now` is in milliseconds since the epoch.
 *
 *     messageTest({ text: 'timeout' }, now)?.(message)    // true for the body 'a timeout of 5 s'
 *     messageTest({}, now)                                // undefined
 */
export function messageTest(
  { text, attributes = [], olderThan }: MessageFilter,
  now: number,
): ((message: PeekedMessage) => boolean) | undefined {
  if (text === undefined && attributes.length === 0 && olderThan === undefined) return undefined;
  return (message) =>
    (text === undefined || message.body.includes(text)) &&
    attributes.every(([name, value]) => message.attributes[name]?.stringValue === value) &&
    (olderThan === undefined || message.sentAt <= now - olderThan * 1000);
}

/** What is known about the origin of the messages in a dead-letter queue. */
export interface KnownTargets {
  /** The queue named by the user. */
  readonly to?: string | undefined;
  /** The queues of an ini file, and its dead-letter queue. */
  readonly handled: readonly string[];
  readonly deadLetterQueue?: string | undefined;
}

/** The queues that the messages in this dead-letter queue may belong to; empty if unknown. Throws BrokerError. */
export async function redriveTargets(
  source: Queue,
  { to, handled, deadLetterQueue }: KnownTargets,
): Promise<string[]> {
  if (to !== undefined) return [to];
  if (source.name === deadLetterQueue) return [...handled];
  try {
    return (await source.inspect?.deadLetterSources?.()) ?? [];
  } catch (error) {
    // Users without this permission, or with an emulator that does not support the request, can still name the queue.
    if (error instanceof BrokerError && (error.kind === 'denied' || error.kind === 'rejected')) return [];
    throw error;
  }
}

export interface RedriveOptions {
  /** Default: all messages. */
  readonly filter?: MessageFilter;
  /** The most messages to move. Default: no limit. */
  readonly limit?: number | undefined;
  /** Only counts the messages that would be moved. Default false. */
  readonly isDryRun?: boolean;
  /** Stops early; messages not moved yet stay. */
  readonly signal: AbortSignal;
  /** Called at the start and after each step. */
  readonly onProgress?: (report: RedriveReport) => void;
}

export interface RedriveReport extends MoveReport {
  /** The queue that gets the messages; undefined: each goes back to the queue it came from. */
  readonly to: string | undefined;
  /** True if the broker moves the messages itself: then `total` and `moved` are its counts, approximate on SQS. */
  readonly isByBroker: boolean;
  /** True if `signal` stopped it early. */
  readonly isCancelled: boolean;
}

/** The target queue is unknown or ambiguous. `targets` lists the possible queues. */
export class UnclearTargetError extends Error {
  override readonly name = 'UnclearTargetError';
  readonly targets: readonly string[];

  constructor(source: string, targets: readonly string[]) {
    super(
      targets.length === 0
        ? `Cannot tell which queue the messages in ${source} belong to`
        : `The messages in ${source} belong to several queues (${targets.join(', ')})`,
    );
    this.targets = targets;
  }
}

/**
 * Moves the messages in a dead-letter queue to the queue they belong to. `targets` comes from `redriveTargets`; more
 * than one target works only if the broker moves the messages itself. Throws UnclearTargetError, QueueNotFoundError,
 * BrokerError.
 */
export async function redriveQueue(
  broker: Broker,
  source: Queue,
  targets: readonly string[],
  options: RedriveOptions,
): Promise<RedriveReport> {
  const to = targets.length === 1 ? targets[0] : undefined;
  if (targets.length === 0) throw new UnclearTargetError(source.name, targets);
  if (to !== undefined) await openExisting(broker, to);
  const move = isEverything(options) ? await source.inspect?.startMove?.(to) : undefined;
  if (move) return redriveByBroker(move, to, options);
  if (to === undefined) throw new UnclearTargetError(source.name, targets);
  return redriveOneByOne(broker, source, await broker.open(to), options);
}

/** A broker's own move always moves all messages. */
function isEverything({ filter = {}, limit, isDryRun = false }: RedriveOptions): boolean {
  return messageTest(filter, 0) === undefined && limit === undefined && !isDryRun;
}

async function redriveByBroker(
  move: MoveTask,
  to: string | undefined,
  { signal, onProgress }: RedriveOptions,
): Promise<RedriveReport> {
  const report = ({ moved, total = moved, isCancelled }: MoveProgress): RedriveReport => ({
    total,
    looked: moved,
    moved,
    failed: [],
    to,
    isByBroker: true,
    isCancelled,
  });
  return report(await followMove(move, signal, (found) => onProgress?.(report(found))));
}

async function redriveOneByOne(
  broker: Broker,
  source: Queue,
  target: Queue,
  { filter = {}, limit, isDryRun = false, signal, onProgress }: RedriveOptions,
): Promise<RedriveReport> {
  const report = (moves: MoveReport): RedriveReport => ({
    ...moves,
    to: target.name,
    isByBroker: false,
    isCancelled: signal.aborted,
  });
  const moves = await moveMessages(broker, source, target, {
    matches: messageTest(filter, Date.now()),
    limit,
    isDryRun,
    signal,
    onProgress: (soFar) => onProgress?.(report(soFar)),
  });
  return report(moves);
}

/** Follows a broker's own move until it is over; the signal cancels it. Throws BrokerError if it fails. */
export async function followMove(
  move: MoveTask,
  signal: AbortSignal,
  onProgress: (found: MoveProgress) => void,
): Promise<MoveProgress> {
  let isCancelling = false;
  for (;;) {
    const found = await move.progress();
    onProgress(found);
    if (found.isOver) return found;
    if (signal.aborted && !isCancelling) {
      isCancelling = true;
      await move.cancel();
    }
    await pause(POLL_MS, isCancelling ? undefined : signal);
  }
}

/** Ends early when the signal aborts. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}
