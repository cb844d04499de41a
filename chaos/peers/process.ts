/** What the processes of the peers have in common: their arguments, an SDK client, and the handling of a message. */
import { SQS } from '@aws-sdk/client-sqs';
import { handling } from '../handling.ts';
import { FIFO_QUEUE, STANDARD_QUEUE } from '../queues.ts';

const [endpoint = '', ledger = '', seconds, longest] = process.argv.slice(2);

/** Seconds. */
export const visibilityTimeout = Number(seconds);
export const queues = [STANDARD_QUEUE, FIFO_QUEUE].map((name) => ({
  url: `${endpoint}/000000000000/${name}`,
  fifo: name === FIFO_QUEUE,
}));

export const sqs = new SQS({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'chaos', secretAccessKey: 'chaos' },
});

/** Handles a message; throws if that fails. */
export const handle = handling({
  ledger,
  longestMs: Number(longest),
  failure: () => new Error('to be tried again'),
});

/** Lets the process end by itself once all that is under way has ended. */
export function untilToldToEnd(end: () => Promise<unknown>): void {
  process.once('SIGTERM', () => {
    void end().then(() => sqs.destroy());
  });
}
