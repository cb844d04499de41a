/** Counts the messages in queues and in their dead-letter queues. */
import type { Broker, Queue, QueueCounts } from '../brokers/broker.ts';
import { BrokerError, QueueNotFoundError } from '../brokers/errors.ts';

export interface QueueStatus extends QueueCounts {
  readonly queue: string;
  /** When the oldest message was sent, in milliseconds since the epoch; unset for an empty queue or if unknown. */
  readonly oldestSentAt?: number;
  /** The dead-letter queue and how many messages it has, in any state; unset without a dead-letter queue. */
  readonly deadLetters?: { readonly queue: string; readonly messages: number };
}

/** The queues that the container of an ini file consumes. */
export interface HandledQueues {
  readonly queues: readonly string[];
  /** Their dead-letter queue. */
  readonly deadLetterQueue?: string | undefined;
}

const NONE: QueueCounts = { visible: 0, inFlight: 0, delayed: 0 };

/**
 * The status of the named queues, or of all queues. Never creates a queue: a missing queue of the ini file counts as
 * empty if the broker creates it when a container opens it. Throws QueueNotFoundError for any other missing queue.
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

/** The dead-letter queue may be missing or in another account; the status of the queue itself is still shown. */
async function countDeadLetters(
  queue: string,
  read: (name: string) => Promise<QueueFacts>,
): Promise<Pick<QueueStatus, 'deadLetters'>> {
  try {
    return { deadLetters: { queue, messages: messagesIn((await read(queue)).counts) } };
  } catch (error) {
    if (error instanceof BrokerError && UNREADABLE.has(error.kind)) return {};
    throw error;
  }
}

const UNREADABLE = new Set(['missing', 'denied']);

/** All messages in a queue, in any state. */
export function messagesIn({ visible, inFlight, delayed }: QueueCounts): number {
  return visible + inFlight + delayed;
}
