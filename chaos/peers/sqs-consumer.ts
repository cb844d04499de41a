/** A process of sqs-consumer: ten messages at once, each kept alive; of the FIFO queue one after the other, as its docs have it. */
import { Consumer } from 'sqs-consumer';
import { handle, queues, sqs, untilToldToEnd, visibilityTimeout } from './process.ts';

/** How long it may take for what it has when it is told to stop, in milliseconds. */
const STOP_MS = 20_000;

const consumers = queues.map(({ url, fifo }) => {
  const consumer = Consumer.create({
    queueUrl: url,
    sqs,
    batchSize: fifo ? 1 : 10,
    suppressFifoWarning: true,
    visibilityTimeout,
    heartbeatInterval: visibilityTimeout / 2,
    terminateVisibilityTimeout: 1,
    pollingCompleteWaitTimeMs: STOP_MS,
    messageSystemAttributeNames: ['ApproximateReceiveCount'],
    async handleMessage(message) {
      const { MessageId = '', Body, Attributes } = message;
      const receiveCount = Number(Attributes?.ApproximateReceiveCount);
      await handle({ number: Number(Body), id: MessageId, receiveCount });
      return message;
    },
  });
  const say = (error: Error) => console.error(error.message);
  consumer.on('error', say).on('processing_error', say).on('timeout_error', say);
  consumer.start();
  return consumer;
});

untilToldToEnd(() =>
  Promise.all(
    consumers.map((consumer) => {
      // Not `once` of node:events, which fails at the first error that comes meanwhile.
      const stopped = new Promise((resolve) => consumer.once('stopped', resolve));
      consumer.stop();
      return stopped;
    }),
  ),
);
