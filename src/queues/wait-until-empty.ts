/** Waits until queues are empty. */
import type { Broker, Queue, QueueCounts } from '../brokers/broker.ts';
import { BrokerError, QueueNotFoundError } from '../brokers/errors.ts';
import { openExisting } from './open-queue.ts';
import { messagesIn } from './queue-status.ts';

export interface WaitOptions {
  /** How many times in a row the queues must be found empty: the counts of SQS are approximate. */
  readonly cycles: number;
  /** Seconds from one count to the next. */
  readonly every: number;
  /** Seconds after which to give up. Default: never. */
  readonly timeout?: number | undefined;
  /** Called with each count. */
  readonly onCounts: (found: readonly CountedQueue[]) => void;
  /** Called when the broker stops answering; not again until it has answered. */
  readonly onOutage: (error: BrokerError) => void;
}

/** A queue and its messages at one count. */
export interface CountedQueue extends QueueCounts {
  readonly queue: string;
}

/** The least time to the next count after one that failed, in seconds. */
const OUTAGE_PAUSE = 1;

/**
 * Counts again and again; resolves to whether the queues are empty. Throws what the first `count` throws. Later, an outage
 * is waited out: only an error that will not pass by itself is thrown.
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

const PASSING = new Set(['unreachable', 'throttled', 'credentials']);

/** Counts; undefined while a broker that has answered before does not answer. */
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
      if (!hasAnswered || !(error instanceof BrokerError && PASSING.has(error.kind))) throw error;
      if (!isAway) onOutage(error);
      isAway = true;
      return undefined;
    }
  };
}

/**
 * Counts the messages of queues, by name. Creates no queue: those in `configured` that a container will create are empty
 * until then; for others that do not exist, the count throws QueueNotFoundError.
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
