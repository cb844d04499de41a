/** Counts the messages of queues, and those of their dead-letter queues. */
import type { Broker, Queue, QueueCounts } from '../brokers/broker.ts';
import { BrokerError, QueueNotFoundError } from '../brokers/errors.ts';

export interface QueueStatus extends QueueCounts {
  readonly queue: string;
  /** When the oldest message was sent, in milliseconds since the epoch; left out without messages, or if it is not known. */
  readonly oldestSentAt?: number;
  /** Where dead letters go, and how many are there, whatever their state; left out if they go nowhere. */
  readonly deadLetters?: { readonly queue: string; readonly messages: number };
}

/** The queues that the worker of an ini file handles. */
export interface HandledQueues {
  readonly queues: readonly string[];
  /** Where their dead letters go. */
  readonly deadLetterQueue?: string | undefined;
}

const NONE: QueueCounts = { visible: 0, inFlight: 0, delayed: 0 };

/**
 * The status of the named queues, or of all there are. Makes no queue: one that the broker would make when a container opens
 * it, as those of the ini file are, counts as empty. Throws QueueNotFoundError for others that do not exist.
 */
export async function queueStatus(
  broker: Broker,
  names: readonly string[],
  configured: HandledQueues = { queues: [] },
): Promise<QueueStatus[]> {
  const all = names.length === 0 || broker.makesQueues ? (await broker.list()).sort() : [];
  const { queues, deadLetterQueue } = configured;
  const mayBeMade = [...queues, ...(deadLetterQueue === undefined ? [] : [deadLetterQueue])];
  const read = async (name: string): Promise<QueueFacts> => {
    if (!broker.makesQueues || all.includes(name)) return readQueue(await broker.open(name));
    if (mayBeMade.includes(name)) return { counts: NONE };
    throw new QueueNotFoundError(name, broker.description);
  };
  const reads = new Map<string, Promise<QueueFacts>>();
  const readOnce = (name: string) => {
    const reading = reads.get(name) ?? read(name);
    reads.set(name, reading);
    return reading;
  };
  return Promise.all(
    (names.length > 0 ? names : all).map(async (queue) => {
      const { counts, oldestSentAt, target } = await readOnce(queue);
      const deadLetters = queues.includes(queue) ? (deadLetterQueue ?? target) : target;
      return {
        queue,
        ...counts,
        ...(oldestSentAt !== undefined && { oldestSentAt }),
        ...(deadLetters !== undefined && (await countDeadLetters(deadLetters, readOnce))),
      };
    }),
  );
}

interface QueueFacts {
  readonly counts: QueueCounts;
  readonly oldestSentAt?: number | undefined;
  readonly target?: string | undefined;
}

async function readQueue(queue: Queue): Promise<QueueFacts> {
  const [counts, oldestSentAt, target] = await Promise.all([
    queue.counts(),
    queue.inspect?.oldest?.(),
    queue.inspect?.deadLetterQueue?.(),
  ]);
  return { counts, oldestSentAt, target: target?.name };
}

/** A dead-letter queue may be gone, or another account's: that is no reason to show nothing of the queue. */
async function countDeadLetters(
  queue: string,
  read: (name: string) => Promise<QueueFacts>,
): Promise<Pick<QueueStatus, 'deadLetters'>> {
  try {
    return { deadLetters: { queue, messages: messagesIn((await read(queue)).counts) } };
  } catch (error) {
    if (error instanceof BrokerError && NOT_TO_BE_SEEN.has(error.kind)) return {};
    throw error;
  }
}

const NOT_TO_BE_SEEN = new Set(['missing', 'denied']);

/** All messages of a queue, whatever their state. */
export function messagesIn({ visible, inFlight, delayed }: QueueCounts): number {
  return visible + inFlight + delayed;
}
