/** squiss-ts, with so many messages in flight. */
import { once } from 'node:events';
import { Squiss } from 'squiss-ts';
import type { Candidate } from '../candidates.ts';
import { openSdk } from '../sdk.ts';

export const squiss =
  (maxInFlight: number): Candidate =>
  async ({ stub, handle, end }) => {
    const consumer = new Squiss({ SQS: openSdk(stub.url), queueUrl: stub.queueUrl, maxInFlight });
    consumer.on('error', (error) => {
      throw error;
    });
    consumer.on('message', async (message) => {
      await handle();
      await message.del();
    });
    await consumer.start();
    await once(end, 'abort');
    await consumer.stop(true);
  };
