/** Opens queues for commands that only look, or take away: these make none. */
import type { Broker, Queue } from '../brokers/broker.ts';
import { QueueNotFoundError } from '../brokers/errors.ts';

/** Opens a queue that is there. Throws QueueNotFoundError, BrokerError. */
export async function openExisting(broker: Broker, name: string): Promise<Queue> {
  if (broker.makesQueues && !(await broker.list(name)).includes(name)) {
    throw new QueueNotFoundError(name, broker.description);
  }
  return broker.open(name);
}
