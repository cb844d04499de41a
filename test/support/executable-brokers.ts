/** Brokers and queues that specs share with the executables they run. */
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { putOff } from './executable.ts';

/** Opens a broker until `cleanUp`; paths are relative to the folder. */
export async function openIn(folder: string, address = 'sqlite:queues.db'): Promise<Broker> {
  const broker = await openBroker(address, { directory: folder });
  putOff(() => broker.close());
  return broker;
}

/** Opens the queue `jobs` of `queues.db` in a folder. */
export async function openQueue(folder: string): Promise<Queue> {
  return (await openIn(folder)).open('jobs');
}

/** An ini file for the worker `./worker.mjs:EXPORT` on that queue, with more options and sections. */
export function settings(exported: string, more = ''): string {
  return `[container]\nworker = ./worker.mjs:${exported}\nqueue = jobs\nbroker = sqlite:queues.db\n${more}`;
}

/** Sends calls, in order. */
export async function call(queue: Queue, ...calls: readonly (readonly unknown[])[]): Promise<void> {
  for (const args of calls) await queue.send([{ body: JSON.stringify([args, {}]) }]);
}

export interface EmulatedSqs {
  /** The broker address; available while the specs run. */
  readonly address: string;
}

/** Runs an SQS emulator with these queues during the specs of the surrounding `describe`. */
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
