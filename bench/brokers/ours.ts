/** This project's brokers, through the contract that the containers use. */
import { byTen, untilHandled } from '../../harness/loops.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { closeProducers } from '../../src/producer/connections.ts';
import { queue as producer } from '../../src/producer/producer.ts';
import type { OpenQueue } from './speed.ts';

const QUEUE = 'bench';

export const openOurs: OpenQueue = async (address) => {
  const broker = await openBroker(address);
  const queue = await broker.open(QUEUE);
  return {
    send: (bodies, senders) => byTen(bodies, senders, (ten) => queue.send(ten.map((body) => ({ body })))),
    handle: (count, consumers) =>
      untilHandled(count, consumers, async () => {
        const messages = await queue.receive({ max: 10, waitSeconds: 0 });
        if (messages.length === 0) return 0;
        const results = await queue.delete(messages.map(({ receiptHandle }) => receiptHandle));
        return results.filter(({ ok }) => ok).length;
      }),
    close: () => broker.close(),
  };
};

/** Sends like a program with many messages: in one call to its producer, which batches them by ten. */
export const openWithProducer: OpenQueue = async (address) => {
  const queue = await openOurs(address);
  const { batch } = producer<[string]>(QUEUE, { broker: address });
  return {
    ...queue,
    send: async (bodies) => void (await batch(bodies.map((body) => [body]))),
    close: async () => {
      await closeProducers();
      await queue.close();
    },
  };
};
