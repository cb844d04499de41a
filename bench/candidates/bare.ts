/** Loops without a library: on the SDK, on bare HTTP, and without a queue. */
import { openBareHttp, openSdk } from '../../harness/sqs-clients.ts';
import type { Candidate } from '../work.ts';

/** The obvious loop: receive ten, handle them one by one, delete ten. */
export const rawLoop: Candidate = async ({ stub, handle, end }) => {
  const sqs = openSdk(stub.url);
  const { queueUrl: QueueUrl } = stub;
  while (!end.aborted) {
    const { Messages = [] } = await sqs.receiveMessage({
      QueueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 20,
    });
    for (const _ of Messages) await handle();
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.deleteMessageBatch({ QueueUrl, Entries });
  }
  sqs.destroy();
};

/** The SQS protocol and nothing else: no signatures, no retries. */
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

/** No queue: loops that only call the handler and yield to timers after each call. */
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
