/** A process of squiss-ts: ten messages in flight, each kept alive; of the FIFO queue one after the other. */
import { Squiss } from 'squiss-ts';
import { handle, queues, sqs, untilToldToEnd, visibilityTimeout } from './process.ts';

const say = (error: Error) => console.error(error.message);

const consumers = queues.map(({ url, fifo }) => {
  const atOnce = fifo ? 1 : 10;
  const consumer = new Squiss({
    SQS: sqs,
    queueUrl: url,
    maxInFlight: atOnce,
    receiveBatchSize: atOnce,
    autoExtendTimeout: true,
    visibilityTimeoutSecs: visibilityTimeout,
    receiveSqsAttributes: ['All'],
  });
  consumer.on('error', say);
  consumer.on('message', async (message) => {
    const { MessageId = '', Body, Attributes } = message.raw;
    const receiveCount = Number(Attributes?.ApproximateReceiveCount);
    const handled = await handle({ number: Number(Body), id: MessageId, receiveCount }).then(
      () => true,
      () => false,
    );
    await (handled ? message.del() : message.release()).catch(say);
  });
  consumer.start().catch(say);
  return consumer;
});

untilToldToEnd(() => Promise.all(consumers.map((consumer) => consumer.stop(true))));
