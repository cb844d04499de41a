/** Opens existing queues and creates missing ones. */
import type { Broker, CreateOptions, Queue } from '../brokers/broker.ts';
import { QueueNotFoundError } from '../brokers/errors.ts';
import { fullName } from '../config/queue-names.ts';
import { connect } from '../producer/connections.ts';
import type { QueueOptions } from '../producer/producer.ts';

/**
 * Opens an existing queue, for callers that only read or remove messages. Unlike `broker.open`, it never creates a
 * queue. Throws QueueNotFoundError, BrokerError.
 */
export async function openExisting(broker: Broker, name: string): Promise<Queue> {
  if (broker.makesQueues && !(await broker.list(name)).includes(name)) {
    throw new QueueNotFoundError(name, broker.description);
  }
  return broker.open(name);
}

/**
 * Creates a queue, for deployments and first runs; updates the settings of an existing queue. A name that ends in
 * `.fifo` creates a FIFO queue. Uses the same broker and prefix as `queue(name)`. Throws BrokerError.
 */
export async function createQueue(name: string, options: CreateOptions & QueueOptions = {}): Promise<void> {
  const { broker: address, deadLetterQueue, ...settings } = options;
  const { broker, prefix } = await connect(address);
  await broker.create(fullName(name, { prefix }), {
    ...settings,
    ...(deadLetterQueue && {
      deadLetterQueue: { ...deadLetterQueue, name: fullName(deadLetterQueue.name, { prefix }) },
    }),
  });
}
