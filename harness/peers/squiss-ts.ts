/** Runs squiss-ts: deletes handled messages and releases failed ones. */
import type { Message } from '@aws-sdk/client-sqs';
import { type ISquissOptions, Squiss } from 'squiss-ts';

/** Starts it. The returned function stops it and resolves when its messages are handled. */
export function startSquiss(
  options: ISquissOptions,
  handle: (message: Message) => void | Promise<void>,
  onError: (error: Error) => void,
): () => Promise<unknown> {
  const consumer = new Squiss(options);
  consumer.on('error', onError);
  consumer.on('message', async (message) => {
    let handled = true;
    try {
      await handle(message.raw);
    } catch {
      handled = false;
    }
    await (handled ? message.del() : message.release()).catch(onError);
  });
  consumer.start().catch(onError);
  return () => consumer.stop(true);
}
