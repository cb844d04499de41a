/** What is left without an SDK, and without a queue: the bounds of what can be reached. */
import { openBareHttp } from '../bare-http.ts';
import type { Candidate } from '../candidates.ts';

/** The protocol of SQS and nothing else: no signature, no retries. */
export const bareHttp: Candidate = async ({ stub, handle, end }) => {
  const http = openBareHttp(stub.url);
  const { queueUrl: QueueUrl } = stub;
  while (!end.aborted) {
    const input = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 };
    const answer = await http.post('ReceiveMessage', input);
    const messages = answer.Messages as { ReceiptHandle: string }[];
    for (const _ of messages) await handle();
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await http.post('DeleteMessageBatch', { QueueUrl, Entries });
  }
  http.close();
};

/** No queue: so many loops that only call the handler, and give way to timers after each. */
export const bareLoops =
  (loops: number): Candidate =>
  async ({ handle, end }) => {
    const loop = async () => {
      while (!end.aborted) {
        await handle();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all(Array.from({ length: loops }, loop));
  };
