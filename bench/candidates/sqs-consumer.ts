/** sqs-consumer, with single messages and with batches. */
import { once } from 'node:events';
import { Consumer } from 'sqs-consumer';
import type { Candidate, Work } from '../candidates.ts';
import { openSdk } from '../sdk.ts';

/** How long it may take for the messages that it has when it is told to stop, in milliseconds. */
const LAST_POLL_MS = 5_000;

/** Receives `batchSize` messages at once, and deletes each when it is handled. */
export const oneByOne =
  (batchSize: number): Candidate =>
  (work) =>
    run(work, {
      batchSize,
      handleMessage: async (message) => {
        await work.handle();
        return message;
      },
    });

/** Handles and deletes ten messages together. */
export const batches: Candidate = (work) =>
  run(work, {
    batchSize: 10,
    handleMessageBatch: async (messages) => {
      for (const _ of messages) await work.handle();
      return messages;
    },
  });

type Options = Parameters<typeof Consumer.create>[0];

async function run(
  { stub, end }: Work,
  options: Pick<Options, 'batchSize' | 'handleMessage' | 'handleMessageBatch'>,
): Promise<void> {
  const consumer = Consumer.create({
    queueUrl: stub.queueUrl,
    sqs: openSdk(stub.url),
    // Without it, it says that it has stopped while its deletes are under way.
    pollingCompleteWaitTimeMs: LAST_POLL_MS,
    ...options,
  });
  consumer.on('error', (error) => {
    throw error;
  });
  consumer.start();
  await once(end, 'abort');
  const stopped = new Promise((resolve) => consumer.once('stopped', () => resolve(undefined)));
  consumer.stop();
  await stopped;
}
