/** The loop that everyone writes first: receive ten, handle them one by one, delete ten. */
import type { Candidate } from '../candidates.ts';
import { openSdk } from '../sdk.ts';

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
