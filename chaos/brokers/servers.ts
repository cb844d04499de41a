/** Queues on Postgres and Redis: a separate server for the run, behind a proxy that injects faults. */
import { startTcpProxy, type TcpProxy } from '../../harness/tcp-proxy.ts';
import { startPostgres } from '../../test/support/servers/postgres.ts';
import type { StartedServer } from '../../test/support/servers/programs.ts';
import { startRedis } from '../../test/support/servers/redis.ts';
import type { BrokerFault, FaultyBroker } from './faulty-broker.ts';

export const openPostgres = async (): Promise<FaultyBroker> => openServer(await startPostgres());
export const openRedis = async (): Promise<FaultyBroker> => openServer(await startRedis());

async function openServer(server: StartedServer): Promise<FaultyBroker> {
  const direct = new URL(server.address);
  const proxy = await startTcpProxy(Number(direct.port));
  const address = new URL(direct);
  address.port = String(proxy.port);
  let restarting = Promise.resolve();
  return {
    address: address.href,
    directAddress: direct.href,
    faults: [
      ...networkFaults(proxy),
      {
        name: 'crash and restart of the server',
        everySeconds: 20,
        seconds: [0, 0],
        begin: () => {
          restarting = restarting.then(() => server.restart());
          return restarting;
        },
      },
    ],
    sharedLock: false,
    sharedClock: false,
    leftOut: [],
    async close() {
      await restarting;
      await proxy.close();
      await server.stop();
    },
  };
}

function networkFaults(proxy: TcpProxy): BrokerFault[] {
  return [
    { name: 'reset', everySeconds: 5, seconds: [0, 0], begin: () => proxy.cut() },
    {
      name: 'no connections',
      everySeconds: 12,
      seconds: [0.5, 7],
      begin: () => proxy.refuse(true),
      end: () => proxy.refuse(false),
    },
    {
      name: 'stalled network',
      everySeconds: 12,
      seconds: [0.5, 7],
      begin: () => proxy.stall(true),
      end: () => proxy.stall(false),
    },
    {
      name: 'slow network',
      everySeconds: 12,
      seconds: [1, 5],
      begin: (chance) => proxy.delay(chance * 300),
      end: () => proxy.delay(0),
    },
  ];
}
