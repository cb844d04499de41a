/** PgBouncer for specs: a pooler in front of Postgres, which runs each transaction on any of its connections. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { untilItAnswers } from './postgres.ts';
import type { Program } from './programs.ts';
import { folderOf, freePort, USER } from './programs.ts';

const DEBIAN_FOLDER = '/usr/sbin';

export const pgbouncer: Program = {
  name: 'PgBouncer',
  packages: ['pgbouncer'],
  isInstalled: () => programFolder() !== undefined,
};

export interface Pooler {
  /** The broker address. */
  readonly address: string;
  /** Stops it and removes its files. */
  stop(): Promise<void>;
}

/** Starts PgBouncer in front of the server at `address`, for a user without a password. */
export async function startPgbouncer(address: string): Promise<Pooler> {
  const { hostname, port: serverPort, username } = new URL(address);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'));
  if (USER.uid) chownSync(folder, USER.uid, USER.gid);
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(
    file,
    `[databases]
* = host=${hostname} port=${serverPort} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
`,
  );
  const pooled = new URL(address);
  pooled.port = String(port);
  const server = spawn(join(programFolder()!, 'pgbouncer'), [file], { stdio: 'ignore', ...USER });
  await untilItAnswers(pooled.href, server);
  return {
    address: pooled.href,
    async stop() {
      server.kill('SIGKILL');
      await once(server, 'exit');
      rmSync(folder, { recursive: true });
    },
  };
}

function programFolder(): string | undefined {
  return folderOf('pgbouncer', [DEBIAN_FOLDER]);
}
