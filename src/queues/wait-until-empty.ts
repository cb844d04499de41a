/** Waits until queues are empty. */
import type { Broker, Queue, QueueCounts } from '../brokers/broker.ts';
import { BrokerError, QueueNotFoundError } from '../brokers/errors.ts';
import { openExisting } from './open-queue.ts';
import { messagesIn } from './queue-status.ts';

export interface WaitOptions {
  /** How many counts in a row must find the queues empty, because SQS's counts are approximate. */
  readonly cycles: number;
  /** Seconds between counts. */
  readonly every: number;
  /** Seconds after which to give up. Default: never. */
  readonly timeout?: number | undefined;
  /** Called with each count. */
  readonly onCounts: (found: readonly CountedQueue[]) => void;
  /** Called when the broker stops responding; not called again until it has responded. */
  readonly onOutage: (error: BrokerError) => void;
}

/** A queue and its message counts at one point in time. */
export interface CountedQueue extends QueueCounts {
  readonly queue: string;
}

/** The minimum pause after a failed count, in seconds. */
const OUTAGE_PAUSE = 1;

/**
 * Counts until the queues are empty or the timeout ends; resolves to whether they are empty. If the first `count` throws,
 * so does this. Later it waits through outages and throws only errors that will not go away on their own.
 */
export async function waitUntilEmpty(
  count: () => Promise<readonly CountedQueue[]>,
  { cycles, every, timeout = Number.POSITIVE_INFINITY, onCounts, onOutage }: WaitOptions,
): Promise<boolean> {
  const endsAt = performance.now() + timeout * 1000;
  const countThroughOutages = throughOutages(count, onOutage);
  let empty = 0;
  for (;;) {
    const found = await countThroughOutages();
    if (found) onCounts(found);
    empty = found?.every((counts) => messagesIn(counts) === 0) ? empty + 1 : 0;
    if (empty >= cycles) return true;
    const leftMs = endsAt - performance.now();
    if (leftMs <= 0) return false;
    const pause = found ? every : Math.max(every, OUTAGE_PAUSE);
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause * 1000, leftMs)));
  }
}

const TRANSIENT = new Set(['unreachable', 'throttled', 'credentials']);

/** Counts; undefined while a broker that responded before does not respond. */
function throughOutages(
  count: () => Promise<readonly CountedQueue[]>,
  onOutage: (error: BrokerError) => void,
): () => Promise<readonly CountedQueue[] | undefined> {
  let hasAnswered = false;
  let isAway = false;
  return async () => {
    try {
      const found = await count();
      hasAnswered = true;
      isAway = false;
      return found;
    } catch (error) {
      if (!hasAnswered || !(error instanceof BrokerError && TRANSIENT.has(error.kind))) throw error;
      if (!isAway) onOutage(error);
      isAway = true;
      return undefined;
    }
  };
}

/**
 * Counts the messages in queues, by name. Never creates a queue: a missing queue in `configured` counts as empty if a
 * container will create it; for any other missing queue, the count throws QueueNotFoundError.
 */
export function queueCounter(
  broker: Broker,
  names: readonly string[],
  configured: readonly string[],
): () => Promise<readonly CountedQueue[]> {
  const opened = new Map<string, Queue>();
  const open = async (name: string): Promise<Queue | undefined> => {
    try {
      const queue = opened.get(name) ?? (await openExisting(broker, name));
      opened.set(name, queue);
      return queue;
    } catch (error) {
      const isToBeCreated = broker.makesQueues && configured.includes(name);
      if (error instanceof QueueNotFoundError && isToBeCreated) return undefined;
      throw error;
    }
  };
  return () =>
    Promise.all(
      names.map(async (name) => {
        const queue = await open(name);
        return { queue: name, ...(queue ? await queue.counts() : { visible: 0, inFlight: 0, delayed: 0 }) };
      }),
    );
}
