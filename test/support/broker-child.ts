/** The child processes of the broker specs: `fork(this file, [address, queue, part])`. */
import type { Queue } from '../../src/brokers/broker.ts';
import { openBroker } from '../../src/brokers/open.ts';

const parts: Record<string, (queue: Queue) => Promise<void>> = {
  /** Sends a message for each word from the parent, and replies when it is accepted. */
  async echo(queue) {
    for (;;) {
      const body = await word();
      if (body === 'end') return;
      await queue.send([{ body }]);
      process.send!(body);
    }
  },

  /** Sends in batches of ten until it is killed, and reports the accepted bodies. */
  async sendOn(queue) {
    for (let number = 0; ; number += 10) {
      const bodies = Array.from({ length: 10 }, (_, index) => String(number + index));
      await queue.send(bodies.map((body) => ({ body })));
      process.send!(bodies);
    }
  },

  /** Receives and deletes until no message arrives for half a second; reports the received bodies. */
  async consume(queue) {
    await word();
    const received: string[] = [];
    for (;;) {
      const messages = await queue.receive({ max: 10, waitSeconds: 0.5, visibilityTimeout: 600 });
      if (messages.length === 0) break;
      received.push(...messages.map(({ body }) => body));
      await new Promise((resolve) => setTimeout(resolve, 2));
      await queue.delete(messages.map(({ receiptHandle }) => receiptHandle));
    }
    process.send!(received);
  },
};

function word(): Promise<string> {
  return new Promise((resolve) => process.once('message', (message) => resolve(String(message))));
}

const [address, name, part] = process.argv.slice(2) as [string, string, string];
process.once('disconnect', () => process.exit());
const broker = await openBroker(address);
const queue = await broker.open(name);
process.send!('ready');
await parts[part]!(queue);
await broker.close();
process.disconnect();
