/** The brokers that benches and chaos can run on here: a queue file, SQS, and servers of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgres, startPostgres } from '../test/support/servers/postgres.ts';
import type { ServerKind, StartedServer } from '../test/support/servers/programs.ts';
import { redis, startRedis } from '../test/support/servers/redis.ts';

export const BROKERS = ['sqlite', 'sqs', 'postgres', 'redis'] as const;
export type BrokerName = (typeof BROKERS)[number];

/** What it takes to run them; SQS is an emulator or a stub, which are installed with the project. */
const servers: Partial<Record<BrokerName, ServerKind>> = { postgres, redis };

/** Why this broker cannot run here; undefined if it can. */
export function whyNot(broker: BrokerName): string | undefined {
  const server = servers[broker];
  if (!server || server.isInstalled()) return undefined;
  return `${server.name} is not installed here (Debian: apt-get install ${server.packages.join(' ')})`;
}

/** Those of the brokers that can run here; prints why the others cannot. */
export function available<Name extends BrokerName>(brokers: readonly Name[]): Name[] {
  return brokers.filter((broker) => {
    const reason = whyNot(broker);
    if (reason) console.log(`left out: ${broker}: ${reason}`);
    return !reason;
  });
}

/** A store of queues on this machine, new and empty. */
type Store = Pick<StartedServer, 'address' | 'stop'>;

/** Where brokers other than SQS keep queues: a file, or a server, as durable as people run it. */
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
