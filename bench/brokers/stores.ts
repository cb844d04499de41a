/** What keeps the queues in these benches: a file, or a server of the bench's own, as durable as people run it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgres, startPostgres } from '../../test/support/servers/postgres.ts';
import { redis, startRedis } from '../../test/support/servers/redis.ts';
import type { ServerKind, StartedServer } from '../../test/support/servers/server.ts';

/** An empty one. */
export type Store = Pick<StartedServer, 'address' | 'stop'>;

interface StoreKind {
  /** For people. */
  readonly title: string;
  /** The server; undefined: it needs none. */
  readonly server?: ServerKind;
  readonly start: () => Promise<Store>;
}

export const stores = {
  sqlite: { title: 'sqlite', start: startFile },
  postgres: { title: 'Postgres', server: postgres, start: () => startPostgres(['fsync=on']) },
  redis: {
    title: 'Redis',
    server: redis,
    start: () => startRedis(['--appendfsync', 'everysec']),
  },
} satisfies Record<string, StoreKind>;

export type StoreName = keyof typeof stores;

/** Those that can be started here; says which cannot. */
export function installedStores(): StoreName[] {
  return (Object.keys(stores) as StoreName[]).filter((name) => {
    const { server }: StoreKind = stores[name];
    const isInstalled = server?.isInstalled() ?? true;
    if (!isInstalled) {
      console.log(
        `${server?.name} is left out: its programs are missing (Debian: ${server?.packages.join(' ')}).`,
      );
    }
    return isInstalled;
  });
}

/** Starts an empty one, works with its address, and ends it. */
export async function withStore<Result>(
  name: StoreName,
  work: (address: string) => Promise<Result>,
): Promise<Result> {
  const store = await stores[name].start();
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
