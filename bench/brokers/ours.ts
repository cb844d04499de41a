/** This project's brokers, through the contract that the containers use. */
import { openBroker } from '../../src/brokers/open.ts';
import { byTen, untilHandled } from './loops.ts';
import type { OpenQueue } from './passage.ts';

export const openOurs: OpenQueue = async (address) => {
  const broker = await openBroker(address);
  const queue = await broker.open('bench');
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
