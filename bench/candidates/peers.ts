/** Other libraries: sqs-consumer, with single messages and with batches, and squiss-ts. */
import { once } from 'node:events';
import { startSqsConsumer } from '../../harness/peers/sqs-consumer.ts';
import { startSquiss } from '../../harness/peers/squiss-ts.ts';
import { openSdk } from '../../harness/sqs-clients.ts';
import type { Candidate, Work } from '../work.ts';

/** sqs-consumer: receives `batchSize` messages at once, and deletes each after it is handled. */
export const oneByOne =
  (batchSize: number): Candidate =>
  (work) =>
    runSqsConsumer(work, {
      batchSize,
      handleMessage: async (message) => {
        await work.handle();
        return message;
      },
    });

/** sqs-consumer: handles and deletes ten messages together. */
export const batches: Candidate = (work) =>
  runSqsConsumer(work, {
    batchSize: 10,
    handleMessageBatch: async (messages) => {
      for (const _ of messages) await work.handle();
      return messages;
    },
  });

/** squiss-ts, with at most this many messages in flight. */
export const squiss =
  (maxInFlight: number): Candidate =>
  async ({ stub, handle, end }) => {
    const options = { SQS: openSdk(stub.url), queueUrl: stub.queueUrl, maxInFlight };
    const stop = startSquiss(options, handle, fail);
    await once(end, 'abort');
    await stop();
  };

type Options = Parameters<typeof startSqsConsumer>[0];

async function runSqsConsumer(
  { stub, end }: Work,
  options: Pick<Options, 'batchSize' | 'handleMessage' | 'handleMessageBatch'>,
): Promise<void> {
  const stop = startSqsConsumer({ queueUrl: stub.queueUrl, sqs: openSdk(stub.url), ...options }, fail);
  await once(end, 'abort');
  await stop();
}

function fail(error: Error): never {
  throw error;
}
