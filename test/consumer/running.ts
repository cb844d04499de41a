// Runs a consumer on a memory queue under sinon's fake clock, for the specs of the run loop.
import type { Message } from '../../src/brokers/broker.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { Consumer, type ConsumerOptions } from '../../src/consumer/consumer.ts';
import type { ConsumerObserver } from '../../src/consumer/observer.ts';
import { FaultyQueue } from './faulty-queue.ts';

/** Kept from before a spec fakes the clock. */
const nextTurn = globalThis.setImmediate;

export interface Running {
  readonly queue: FaultyQueue;
  readonly consumer: Consumer;
  readonly run: ReturnType<Consumer['run']>;
  /** The bodies handled, in the order of their start. */
  readonly started: string[];
  send(...bodies: string[]): Promise<void>;
}

export const defaults: ConsumerOptions = {
  slots: 1,
  waitSeconds: 20,
  visibilityTimeout: 30,
  settleDelayMs: 100,
  onError: 'delete',
  drainTimeout: 30,
};

/** Starts a consumer whose worker is `handle`; `name` ends in `.fifo` for a FIFO queue. */
export async function running(
  handle: (message: Message) => void | Promise<void>,
  options: Partial<ConsumerOptions> = {},
  { name = 'work', bodies = [] as string[], observer = {} as ConsumerObserver } = {},
): Promise<Running> {
  const queue = new FaultyQueue(await new MemoryBroker().open(name));
  const started: string[] = [];
  const send = async (...more: string[]) => {
    for (const body of more) {
      await queue.send([queue.fifo ? { body, groupId: body.slice(0, 1), deduplicationId: body } : { body }]);
    }
  };
  await send(...bodies);
  const worker = {
    handleMessage(message: Message) {
      started.push(message.body);
      return handle(message);
    },
  };
  const consumer = new Consumer([{ queue, weight: 1 }], worker, { ...defaults, ...options }, observer);
  return { queue, consumer, started, send, run: consumer.run() };
}

/** Lets everything that waits for no timer happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => nextTurn(resolve));
}
