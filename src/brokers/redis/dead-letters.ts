/**
 * Moves messages that were received too often to the dead-letter queue. That may be on another server of a cluster, so no
 * single script can do it:
 *
 * 1. A receive puts them in flight as it does all: while they are moved, nobody else gets them.
 * 2. The dead-letter queue takes them in, and remembers their ids.
 * 3. They are deleted where they came from.
 * 4. The dead-letter queue forgets their ids.
 *
 * If the process ends in between, they are visible again after their visibility timeout. The next receive then does the
 * same, and what the dead-letter queue remembers is taken in no second time.
 */
import type { Message } from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { isFifoName } from '../rules/queue-name.ts';
import type { RedisClient } from './client.ts';
import { acceptDeadLetters, forgetDeadLetters } from './scripts/sending.ts';
import { deleteMessages } from './settling.ts';

export interface DeadLetter {
  readonly message: Message;
  readonly record: string;
}

/** Resolves with false if there is no such dead-letter queue, and nothing was moved. */
export async function moveDeadLetters(
  client: RedisClient,
  queue: string,
  deadLetterQueue: string,
  letters: readonly DeadLetter[],
): Promise<boolean> {
  const values = letters.flatMap(({ message: { id, groupId = '' }, record }) => [id, groupId, record]);
  const flag = isFifoName(deadLetterQueue) ? '1' : '0';
  try {
    await client.run(acceptDeadLetters, deadLetterQueue, [flag, ...values]);
  } catch (error) {
    if (!(error instanceof QueueNotFoundError)) throw error;
    return false;
  }
  const handles = letters.map(({ message }) => message.receiptHandle);
  const results = await deleteMessages(client, queue, handles);
  // One that another receive has by now is moved by that.
  const gone = letters.filter((_, index) => results[index]?.ok).map(({ message }) => message.id);
  if (gone.length > 0) await client.run(forgetDeadLetters, deadLetterQueue, gone);
  return true;
}
