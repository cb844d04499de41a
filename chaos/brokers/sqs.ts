/** Queues on SQS: the emulator in its own process, behind a proxy that injects faults. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { seeded } from '../../harness/random.ts';
import type { BrokerFault, FaultyBroker } from './faulty-broker.ts';
import { HTTP_FAULTS, type HttpFault, startHttpProxy } from './http-proxy.ts';

/** How long a fault lasts, in seconds: usually shorter than the visibility timeout, sometimes longer. */
const SECONDS: Readonly<Record<HttpFault, readonly [number, number]>> = {
  '500': [0.5, 6],
  throttling: [0.5, 6],
  reset: [0.5, 4],
  cut: [0.5, 4],
  delay: [0.5, 4],
  'partial failure': [1, 6],
  blackhole: [0.5, 7],
};

export async function openSqs(seed: number): Promise<FaultyBroker> {
  const emulator = fork(import.meta.filename, { execArgv: [], stdio: 'ignore' });
  const [port] = (await once(emulator, 'message')) as [number];
  const proxy = await startHttpProxy(`http://127.0.0.1:${port}`, seeded(seed));
  return {
    address: `sqs+${proxy.url}`,
    directAddress: `sqs+http://127.0.0.1:${port}`,
    faults: HTTP_FAULTS.map(
      (name): BrokerFault => ({
        name,
        everySeconds: 12,
        seconds: SECONDS[name],
        // Some faults hit every request, most hit a few.
        begin: (chance) => proxy.set(name, chance < 0.3 ? 1 : chance / 2),
        end: () => proxy.set(name, 0),
      }),
    ),
    sharedLock: false,
    sharedClock: false,
    leftOut: ['restart of the server: the emulator keeps everything in memory'],
    async close() {
      await proxy.close();
      emulator.disconnect();
      await once(emulator, 'exit');
    },
  };
}

/** Runs the emulator; sends its port to the parent process. */
async function emulate(): Promise<void> {
  const { startFauxqs } = await import('fauxqs');
  const emulator = await startFauxqs({ port: 0, logger: false });
  process.send?.(emulator.port);
  process.once('disconnect', () => process.exit());
}

if (import.meta.main) void emulate();
