/** Makes queues from code: for deployments and first runs. */
import type { CreateOptions } from '../brokers/broker.ts';
import { fullName } from '../config/queue-names.ts';
import { connect } from '../producer/connections.ts';
import type { QueueOptions } from '../producer/producer.ts';

/**
 * Makes a queue; one that exists with other settings gets these. A name that ends in `.fifo` makes a FIFO queue.
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
