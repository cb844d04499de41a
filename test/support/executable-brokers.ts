/** The brokers that specs have open together with the executables that they run. */
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import type { Broker } from '../../src/brokers/broker.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { putOff } from './executable.ts';

/** Opens a broker, which `cleanUp` closes; paths start from the folder. */
export async function openIn(folder: string, address = 'sqlite:queues.db'): Promise<Broker> {
  const broker = await openBroker(address, { directory: folder });
  putOff(() => broker.close());
  return broker;
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
