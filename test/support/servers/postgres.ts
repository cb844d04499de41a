/** PostgreSQL for specs. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { ServerKind, StartedServer } from './programs.ts';
import { folderOf, freePort, USER } from './programs.ts';

const DEBIAN_FOLDER = '/usr/lib/postgresql';

export const postgres: ServerKind = {
  name: 'Postgres',
  variables: ['DATABASE_URL', 'PGHOST'],
  packages: ['postgresql'],
  isInstalled: () => programFolder() !== undefined,
  addressInEnvironment,
  start: () => startPostgres(),
};

/** Starts a separate server; `settings` are options of `postgres`, such as `ssl=on`. */
export async function startPostgres(
  settings: readonly string[] = [],
  prepare: (dataFolder: string) => void = () => {},
): Promise<StartedServer> {
  const programs = programFolder()!;
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  if (USER.uid) chownSync(folder, USER.uid, USER.gid);
  const data = join(folder, 'data');
  const initdb = ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-sync', '--locale=C'];
  execFileSync(join(programs, 'initdb'), initdb, { stdio: 'ignore', cwd: folder, ...USER });
  prepare(data);
  const port = await freePort();
  const address = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const run = async (): Promise<ChildProcess> => {
    const options = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'];
    const server = spawn(
      join(programs, 'postgres'),
      ['-D', data, ...[...options, ...settings].flatMap((option) => ['-c', option])],
      { stdio: 'ignore', cwd: folder, ...USER },
    );
    await untilItAnswers(address, server);
    return server;
  };
  let server = await run();
  const kill = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null) return;
    server.kill(signal);
    await once(server, 'exit');
  };
  return {
    address,
    async restart() {
      // An immediate shutdown: the server's processes quit without cleanup, and it recovers as after a crash.
      await kill('SIGQUIT');
      server = await run();
    },
    async stop() {
      await kill('SIGQUIT');
      rmSync(folder, { recursive: true });
    },
  };
}

/** The folder of `postgres` and `initdb`: on the PATH, otherwise the newest from Debian. */
function programFolder(): string | undefined {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  const newestFirst = versions.sort((one, other) => Number(other) - Number(one));
  return folderOf(
    ['postgres', 'initdb'],
    newestFirst.map((version) => join(DEBIAN_FOLDER, version, 'bin')),
  );
}

function addressInEnvironment(): string | undefined {
  const { DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE } = process.env;
  if (DATABASE_URL || !PGHOST) return DATABASE_URL;
  const user = encodeURIComponent(PGUSER ?? 'postgres');
  const password = PGPASSWORD ? `:${encodeURIComponent(PGPASSWORD)}` : '';
  return `postgres://${user}${password}@${encodeURIComponent(PGHOST)}:${PGPORT ?? 5432}/${PGDATABASE ?? user}`;
}

/** Waits until a server or a pooler accepts connections; throws if it exits first. */
export async function untilItAnswers(address: string, server: ChildProcess): Promise<void> {
  while (server.exitCode === null) {
    const client = new pg.Client(address);
    const isUp = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => {});
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${server.spawnfile} exited with code ${server.exitCode}`);
}
