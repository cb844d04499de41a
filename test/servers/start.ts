/**
 * Gives the specs real servers, before the first of them: those that the environment names, else servers of their own.
 * Missing programs are installed where that is possible (Debian, as root). What is not to be had is said, and its specs are
 * left out; with CI=true that is an error.
 */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import type { ServerKind, StartedServer } from './server.ts';

/** Where the specs find the address of each: set for the processes in which they run. */
const KINDS: readonly ServerKind[] = [postgres, redis];

let started: readonly StartedServer[] = [];

/** Run by mocha once, whatever the number of its processes. */
export async function mochaGlobalSetup(): Promise<void> {
  const wanted = KINDS.filter((kind) => !kind.addressInEnvironment());
  installMissing(wanted);
  const possible = wanted.filter((kind) => kind.isInstalled());
  reportMissing(wanted.filter((kind) => !possible.includes(kind)));
  started = await Promise.all(
    possible.map(async (kind) => {
      const server = await kind.start();
      process.env[kind.variables[0]!] = server.address;
      return server;
    }),
  );
}

export async function mochaGlobalTeardown(): Promise<void> {
  await Promise.all(started.map((server) => server.stop()));
}

function installMissing(kinds: readonly ServerKind[]): void {
  const packages = kinds.filter((kind) => !kind.isInstalled()).flatMap((kind) => kind.packages);
  const isPossible = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
  if (packages.length === 0 || !isPossible) return;
  console.log(`Installing for the specs: ${packages.join(' ')}`);
  const quietly: SpawnSyncOptions = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  spawnSync('apt-get', ['update'], quietly);
  spawnSync('apt-get', ['install', '--yes', '--no-install-recommends', ...packages], quietly);
}

function reportMissing(kinds: readonly ServerKind[]): void {
  if (kinds.length === 0) return;
  const text = kinds
    .map(
      ({ name, variables, packages }) =>
        `The specs on ${name} are left out: there is no server. To run them, set ${variables[0]}, start the one in compose.yaml, or install its programs (Debian: apt-get install ${packages.join(' ')}).`,
    )
    .join('\n');
  if (process.env.CI === 'true') throw new Error(text);
  console.warn(text);
}
