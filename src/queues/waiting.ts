/** Waits until queues are empty. */
import type { Broker, Queue, QueueCounts } from '../brokers/broker.ts';
import { BrokerError, QueueNotFoundError } from '../brokers/errors.ts';
import { openExisting } from './open-existing.ts';
import { messagesIn } from './status.ts';

export interface WaitOptions {
  /** How many times in a row the queues must be found empty: the counts of SQS are approximate. */
  readonly cycles: number;
  /** Seconds from one look to the next. */
  readonly every: number;
  /** Seconds after which to give up. Default: never. */
  readonly timeout?: number | undefined;
  /** Hears of each look. */
  readonly onLook: (found: readonly Found[]) => void;
  /** Hears why nothing can be seen any more; not again until something was seen. */
  readonly onOutage: (error: BrokerError) => void;
}

/** What a queue has at one look. */
export interface Found extends QueueCounts {
  readonly queue: string;
}

/** After a look that failed, seconds to the next one at least. */
const OUTAGE_PAUSE = 1;

/**
 * Looks again and again; resolves to whether the queues are empty. Throws what the first `look` throws. Later, an outage is
 * waited out: only an error that will not pass by itself is thrown.
 */
export async function waitUntilEmpty(
  look: () => Promise<readonly Found[]>,
  { cycles, every, timeout = Number.POSITIVE_INFINITY, onLook, onOutage }: WaitOptions,
): Promise<boolean> {
  const endsAt = performance.now() + timeout * 1000;
  const lookThroughOutages = throughOutages(look, onOutage);
  let empty = 0;
  for (;;) {
    const found = await lookThroughOutages();
    if (found) onLook(found);
    empty = found?.every((counts) => messagesIn(counts) === 0) ? empty + 1 : 0;
    if (empty >= cycles) return true;
    const leftMs = endsAt - performance.now();
    if (leftMs <= 0) return false;
    const pause = found ? every : Math.max(every, OUTAGE_PAUSE);
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause * 1000, leftMs)));
  }
}

const PASSING = new Set(['unreachable', 'throttled', 'credentials']);

/** Looks, or sees nothing while the broker is away that has answered before. */
function throughOutages(
  look: () => Promise<readonly Found[]>,
  onOutage: (error: BrokerError) => void,
): () => Promise<readonly Found[] | undefined> {
  let hasAnswered = false;
  let isAway = false;
  return async () => {
    try {
      const found = await look();
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
 * Looks at queues, by name. Makes none: those in `configured` that a container will make are empty until then; the look throws
 * QueueNotFoundError for others.
 */
export function looker(
  broker: Broker,
  names: readonly string[],
  configured: readonly string[],
): () => Promise<readonly Found[]> {
  const opened = new Map<string, Queue>();
  const open = async (name: string): Promise<Queue | undefined> => {
    try {
      const queue = opened.get(name) ?? (await openExisting(broker, name));
      opened.set(name, queue);
      return queue;
    } catch (error) {
      const isToBeMade = broker.makesQueues && configured.includes(name);
      if (error instanceof QueueNotFoundError && isToBeMade) return undefined;
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
