/** What is compared: ways to handle the messages of a queue. Each ends when `handle` has been called often enough. */
import { SQS } from '@aws-sdk/client-sqs';
import { Consumer as SqsConsumer } from 'sqs-consumer';
import { openSqs } from '../src/brokers/sqs/broker.ts';
import { Consumer } from '../src/consumer/consumer.ts';
import type { StubProcess } from './stub.ts';

export interface Work {
  readonly stub: StubProcess;
  /** Handles one message. */
  readonly handle: () => void | Promise<void>;
  /** Resolves when all messages have been handled. */
  readonly done: Promise<void>;
  /** How many messages there are. */
  readonly messages: number;
}

/** Handles all messages; resolves when the last has been deleted. */
export type Candidate = (work: Work) => Promise<void>;

const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };

function sdk({ stub }: Work): { sqs: SQS; QueueUrl: string } {
  const sqs = new SQS({ endpoint: stub.url, region: 'us-east-1', credentials });
  return { sqs, QueueUrl: `${stub.url}/000000000000/${stub.queue}` };
}

/** The loop that everyone writes first: receive ten, handle them one by one, delete ten. */
export const rawLoop: Candidate = async (work) => {
  const { sqs, QueueUrl } = sdk(work);
  let left = work.messages;
  while (left > 0) {
    const { Messages = [] } = await sqs.receiveMessage({
      QueueUrl,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 20,
    });
    for (const _ of Messages) await work.handle();
    left -= Messages.length;
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.deleteMessageBatch({ QueueUrl, Entries });
  }
  sqs.destroy();
};

/** sqs-consumer, receiving `batchSize` messages at once. */
export const sqsConsumer =
  (batchSize: number): Candidate =>
  async (work) => {
    const { sqs, QueueUrl } = sdk(work);
    const consumer = SqsConsumer.create({
      queueUrl: QueueUrl,
      sqs,
      batchSize,
      handleMessage: async (message) => {
        await work.handle();
        return message;
      },
    });
    consumer.start();
    await work.done;
    const stopped = new Promise((resolve) => consumer.once('stopped', () => resolve(undefined)));
    consumer.stop({ abort: false });
    await stopped;
    sqs.destroy();
  };

/** This project's run loop with so many slots, and the default settings. */
export const ours =
  (slots: number): Candidate =>
  async (work) => {
    const broker = await openSqs({ endpoint: work.stub.url, emulator: true });
    const consumer = new Consumer(
      [{ queue: await broker.open(work.stub.queue), weight: 1 }],
      { handleMessage: () => work.handle() },
      {
        slots,
        waitSeconds: 20,
        settleDelayMs: 200,
        onError: 'delete',
        drainTimeout: 30,
        messageLimit: work.messages,
      },
    );
    await consumer.run();
    await broker.close();
  };
