/** The brokers and queues that specs and the executables that they run use together. */
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { putOff } from './executable.ts';

/** Opens a broker, which `cleanUp` closes; paths start from the folder. */
export async function openIn(folder: string, address = 'sqlite:queues.db'): Promise<Broker> {
  const broker = await openBroker(address, { directory: folder });
  putOff(() => broker.close());
  return broker;
}

/** Opens the queue `jobs` of `queues.db` in a folder. */
export async function openQueue(folder: string): Promise<Queue> {
  return (await openIn(folder)).open('jobs');
}

/** The text of an ini file for the worker `./worker.mjs:EXPORT` on that queue, with more options and sections. */
export function settings(exported: string, more = ''): string {
  return `[container]\nworker = ./worker.mjs:${exported}\nqueue = jobs\nbroker = sqlite:queues.db\n${more}`;
}

/** Sends calls, in order. */
export async function call(queue: Queue, ...calls: readonly (readonly unknown[])[]): Promise<void> {
  for (const args of calls) await queue.send([{ body: JSON.stringify([args, {}]) }]);
}

export interface EmulatedSqs {
  /** As brokers take it; there is one while the specs run. */
  readonly address: string;
}

/** Has an emulator of SQS, with these queues, run beside the specs of the `describe` in which it is called. */
export function emulateSqs(...queues: readonly string[]): EmulatedSqs {
  let emulator: FauxqsServer;
  before(async () => {
    emulator = await startFauxqs({ port: 0, logger: false });
    for (const name of queues) emulator.createQueue(name);
  });
  after(() => emulator.stop());
  return {
    get address() {
      return `sqs+http://127.0.0.1:${emulator.port}`;
    },
  };
}
