/** Opens queues that exist, and creates those that are missing. */
import type { Broker, CreateOptions, Queue } from '../brokers/broker.ts';
import { QueueNotFoundError } from '../brokers/errors.ts';
import { fullName } from '../config/queue-names.ts';
import { connect } from '../producer/connections.ts';
import type { QueueOptions } from '../producer/producer.ts';

/**
 * Opens a queue that exists, for what only looks at messages or takes them away. A broker that creates queues when they
 * are opened creates none here. Throws QueueNotFoundError, BrokerError.
 */
export async function openExisting(broker: Broker, name: string): Promise<Queue> {
  if (broker.makesQueues && !(await broker.list(name)).includes(name)) {
    throw new QueueNotFoundError(name, broker.description);
  }
  return broker.open(name);
}

/**
 * Creates a queue, for deployments and first runs; one that exists with other settings gets these. A name that ends in `.fifo` makes a FIFO queue.
 * The broker and the prefix are those of `queue(name)`. Throws BrokerError.
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
