/** Sends the messages of a dead-letter queue back to where they can be handled again. */
import { fullName } from '../config/queue-names.ts';
import { connect } from '../producer/connections.ts';
import type { QueueOptions } from '../producer/queue.ts';
import { moveMessages } from './move-messages.ts';

/**
 * Moves what is visible in the queue `from` to the queue `to`, with attributes and message groups; resolves to how many
 * were moved. A message is deleted once its copy is there, so none is lost. Broker and prefix are those of
 * `queue(name)`. Throws QueueNotFoundError, BrokerError, and SendError for a message that `to` refuses, which stays.
 */
export async function redrive(from: string, to: string, options: QueueOptions = {}): Promise<number> {
  const { broker, prefix } = await connect(options.broker);
  const source = await broker.open(fullName(from, { prefix }));
  const target = await broker.open(fullName(to, { prefix }));
  const { moved, failed } = await moveMessages(broker, source, target);
  if (failed[0]) throw failed[0].error;
  return moved;
}
