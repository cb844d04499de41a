/** The brokers that benchmarks and chaos can run on: a queue file, SQS, and their own servers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgres, startPostgres } from '../test/support/servers/postgres.ts';
import type { ServerKind, StartedServer } from '../test/support/servers/programs.ts';
import { redis, startRedis } from '../test/support/servers/redis.ts';

export const BROKERS = ['sqlite', 'sqs', 'postgres', 'redis'] as const;
export type BrokerName = (typeof BROKERS)[number];

/** The servers of the brokers that need one; SQS is an emulator or a stub, which are installed with the project. */
const servers: Partial<Record<BrokerName, ServerKind>> = { postgres, redis };

/** Why this broker cannot run on this machine; undefined if it can. */
export function whyNot(broker: BrokerName): string | undefined {
  const server = servers[broker];
  if (!server || server.isInstalled()) return undefined;
  return `${server.name} is not installed (Debian: apt-get install ${server.packages.join(' ')})`;
}

/** The brokers that can run on this machine; prints why the others cannot. */
export function available<Name extends BrokerName>(brokers: readonly Name[]): Name[] {
  return brokers.filter((broker) => {
    const reason = whyNot(broker);
    if (reason) console.log(`skipped: ${broker}: ${reason}`);
    return !reason;
  });
}

/** A new and empty store of queues on this machine. */
type Store = Pick<StartedServer, 'address' | 'stop'>;

/** Where brokers other than SQS store queues: a file, or a server with the usual durability settings. */
export const stores = {
  sqlite: { title: 'sqlite', start: startFile },
  postgres: { title: 'Postgres', start: () => startPostgres(['fsync=on']) },
  redis: { title: 'Redis', start: () => startRedis(['--appendfsync', 'everysec']) },
} satisfies Record<Exclude<BrokerName, 'sqs'>, { readonly title: string; start(): Promise<Store> }>;

export type StoreName = keyof typeof stores;
export const STORES = Object.keys(stores) as StoreName[];

/** Starts a store, calls `work` with its address, and removes it. */
export async function withStore<Result>(
  name: StoreName,
  work: (address: string) => Promise<Result>,
): Promise<Result> {
  const store: Store = await stores[name].start();
  try {
    return await work(store.address);
  } finally {
    await store.stop();
  }
}

async function startFile(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'brokers-'));
  return {
    address: `sqlite:${join(folder, 'queues.db')}`,
    stop: async () => rmSync(folder, { recursive: true }),
  };
}
