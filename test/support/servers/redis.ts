/** Redis or Valkey for specs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerKind, StartedServer } from './programs.ts';
import { folderOf, freePort } from './programs.ts';

export const redis: ServerKind = {
  name: 'Redis',
  variables: ['REDIS_URL'],
  packages: ['redis-server'],
  isInstalled: () => findProgram() !== undefined,
  addressInEnvironment: () => process.env.REDIS_URL,
  start: () => startRedis(),
};

export interface RedisServer extends StartedServer {
  readonly port: number;
  /** Crashes the server. */
  kill(): Promise<void>;
  /** Restarts it on the same port, with the data on its disk. */
  run(): Promise<void>;
  /** Freezes it with `SIGSTOP`, or resumes it with `SIGCONT`. */
  signal(signal: NodeJS.Signals): void;
}

/** Starts a separate server; `settings` are options of `redis-server`, such as `--requirepass secret`. */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const options = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
  // Fast, because it does not wait for the disk: data survives a crash of the server, but not of the machine.
  const durability = ['--appendonly', 'yes', '--appendfsync', 'no', '--save', ''];
  let server: ChildProcess;
  const run = async () => {
    server = spawn(findProgram()!, [...options, ...durability, ...settings], { stdio: 'ignore' });
    await untilItListens(port, server);
  };
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  await run();
  return {
    address: `redis://127.0.0.1:${port}`,
    port,
    run,
    kill,
    signal(signal) {
      server.kill(signal);
    },
    async restart() {
      await kill();
      await run();
    },
    async stop() {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}

function findProgram(): string | undefined {
  return ['redis-server', 'valkey-server'].find((name) => folderOf(name) !== undefined);
}

async function untilItListens(port: number, server: ChildProcess): Promise<void> {
  while (server.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isUp = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`redis-server exited with code ${server.exitCode}`);
}
