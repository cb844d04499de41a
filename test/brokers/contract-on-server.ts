// Runs the broker contract on a server that the environment names; skips it if there is none.

import type { Broker } from '../../src/brokers/broker.ts';
import { itKeepsTheContract } from '../../src/contract/contract.ts';
import type { ServerKind } from '../support/servers/programs.ts';

export function itKeepsTheContractOn(
  server: ServerKind,
  openBroker: (address: string) => Promise<Broker>,
): void {
  const title = `the ${server.name} broker`;
  describe(title, () => {
    let opened: Broker[];

    before(function () {
      if (!server.addressInEnvironment()) this.skip();
    });

    async function open(): Promise<Broker> {
      const broker = await openBroker(server.addressInEnvironment()!);
      opened.push(broker);
      return broker;
    }

    itKeepsTheContract(
      title,
      async () => {
        opened = [];
        return { broker: await open(), secondBroker: open };
      },
      async () => {
        await Promise.all(opened.map((broker) => broker.close()));
      },
    );
  });
}
