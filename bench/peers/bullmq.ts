/** BullMQ, which hands out jobs one by one, in its two ways. Finished jobs are removed. */
import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { byTen, untilHandled } from '../../harness/loops.ts';
import type { OpenQueue, QueueUnderTest } from '../brokers/speed.ts';

const QUEUE = 'bench';
/** This project's queues have ten messages in flight per consumer. */
const SLOTS = 10;

/** A worker with several slots calls a function for each job. */
export const openWorker: OpenQueue = async (address) => {
  const connection = { url: address };
  const { send, close } = openQueue(address);
  return {
    send,
    handle: async (count, consumers) => {
      let handled = 0;
      const all = Promise.withResolvers<void>();
      const worker = new Worker(QUEUE, async () => {}, { connection, concurrency: SLOTS * consumers });
      worker.on('completed', () => {
        handled += 1;
        if (handled === count) all.resolve();
      });
      await all.promise;
      await worker.close();
      return handled;
    },
    close,
  };
};

/** The caller takes each job and reports when it is done. */
export const openOneByOne: OpenQueue = async (address) => {
  const { send, close } = openQueue(address);
  const worker = new Worker(QUEUE, null, { connection: { url: address }, autorun: false });
  const token = randomUUID();
  await worker.waitUntilReady();
  return {
    send,
    handle: (count, consumers) =>
      untilHandled(count, consumers, async () => {
        const job = await worker.getNextJob(token, { block: false });
        if (!job) return 0;
        await job.moveToCompleted('', token, false);
        return 1;
      }),
    close: async () => {
      await worker.close();
      await close();
    },
  };
};

function openQueue(address: string): Pick<QueueUnderTest, 'send' | 'close'> {
  const queue = new Queue(QUEUE, { connection: { url: address } });
  const opts = { removeOnComplete: true };
  return {
    send: (bodies, senders) =>
      byTen(bodies, senders, (ten) =>
        queue.addBulk(ten.map((body) => ({ name: 'job', data: { body }, opts }))),
      ),
    close: () => queue.close(),
  };
}
