/**
 * A process that runs another library, with its arguments from `subjects.ts`: handles ten messages at once, keeping each
 * invisible meanwhile; one at a time from the FIFO queue.
 */
import type { Message, SQS } from '@aws-sdk/client-sqs';
import { openSdk } from '../harness/sqs-clients.ts';
import { handling } from './handling.ts';
import { FIFO_QUEUE, STANDARD_QUEUE } from './producer.ts';

interface Setup {
  readonly sqs: SQS;
  readonly queueUrl: string;
  /** How many messages to handle at once. */
  readonly concurrency: number;
  /** In seconds. */
  readonly visibilityTimeout: number;
  /** Rejects if the message should be retried. */
  readonly handle: (message: Message) => Promise<void>;
}

/** Starts handling the messages in a queue; resolves to a function that stops it. */
type Start = (setup: Setup) => Promise<() => Promise<unknown>>;

const peers: Readonly<Record<string, Start>> = {
  'sqs-consumer': async ({ sqs, queueUrl, concurrency, visibilityTimeout, handle }) => {
    const { startSqsConsumer } = await import('../harness/peers/sqs-consumer.ts');
    const options: Parameters<typeof startSqsConsumer>[0] = {
      queueUrl,
      sqs,
      batchSize: concurrency,
      suppressFifoWarning: true,
      visibilityTimeout,
      heartbeatInterval: visibilityTimeout / 2,
      terminateVisibilityTimeout: 1,
      messageSystemAttributeNames: ['ApproximateReceiveCount'],
      handleMessage: async (message) => {
        await handle(message);
        return message;
      },
    };
    return startSqsConsumer(options, printError);
  },
  'squiss-ts': async ({ sqs, queueUrl, concurrency, visibilityTimeout, handle }) => {
    const { startSquiss } = await import('../harness/peers/squiss-ts.ts');
    const options: Parameters<typeof startSquiss>[0] = {
      SQS: sqs,
      queueUrl,
      maxInFlight: concurrency,
      receiveBatchSize: concurrency,
      autoExtendTimeout: true,
      visibilityTimeoutSecs: visibilityTimeout,
      receiveSqsAttributes: ['All'],
    };
    return startSquiss(options, handle, printError);
  },
};

const [subject = '', endpoint = '', ledger = '', visibilityTimeout, longestMs] = process.argv.slice(2);
const sqs = openSdk(endpoint);
const handleNumbered = handling({
  ledger,
  longestMs: Number(longestMs),
  failure: () => new Error('try again'),
});
const stops = await Promise.all(
  [STANDARD_QUEUE, FIFO_QUEUE].map((queue) =>
    peers[subject]!({
      sqs,
      queueUrl: `${endpoint}/000000000000/${queue}`,
      concurrency: queue === FIFO_QUEUE ? 1 : 10,
      visibilityTimeout: Number(visibilityTimeout),
      handle: ({ MessageId = '', Body, Attributes }) =>
        handleNumbered({
          id: MessageId,
          number: Number(Body),
          receiveCount: Number(Attributes?.ApproximateReceiveCount),
        }),
    }),
  ),
);
process.once('SIGTERM', () => {
  void Promise.all(stops.map((stop) => stop())).then(() => sqs.destroy());
});

function printError(error: Error): void {
  console.error(error.message);
}
