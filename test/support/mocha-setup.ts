/**
 * Sets up mocha. Before the first spec, starts real servers, unless the environment names some, and installs missing
 * programs such as a browser if possible (Debian, as root). Prints what is missing and skips the specs that need it; with
 * CI=true that is an error. Each mocha process is named after its current spec, so that `ps` shows which spec hangs.
 */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import type { Context } from 'mocha';
import { pgbouncer } from './servers/pgbouncer.ts';
import { postgres } from './servers/postgres.ts';
import {
  chromium,
  type Program,
  type ServerKind,
  type StartedServer,
  systemdAnalyze,
  zsh,
} from './servers/programs.ts';
import { redis } from './servers/redis.ts';

const SERVERS: readonly ServerKind[] = [postgres, redis];
const PROGRAMS: readonly Program[] = [chromium, pgbouncer, systemdAnalyze, zsh];

let started: readonly StartedServer[] = [];

export const mochaHooks = {
  beforeEach(this: Context): void {
    const { file, title } = this.currentTest!;
    process.title = `mocha ${file}: ${title}`;
  },
};

/** Mocha runs this once, regardless of the number of its processes. */
export async function mochaGlobalSetup(): Promise<void> {
  const servers = SERVERS.filter((kind) => !kind.addressInEnvironment());
  installMissing([...servers, ...PROGRAMS]);
  const missing = [...servers, ...PROGRAMS].filter((program) => !program.isInstalled());
  reportMissing(missing);
  started = await Promise.all(
    servers
      .filter((kind) => !missing.includes(kind))
      .map(async (kind) => {
        const server = await kind.start();
        // The processes that run the specs inherit it from this one.
        process.env[kind.variables[0]!] = server.address;
        return server;
      }),
  );
}

export async function mochaGlobalTeardown(): Promise<void> {
  await Promise.all(started.map((server) => server.stop()));
}

function installMissing(programs: readonly Program[]): void {
  const packages = programs
    .filter((program) => !program.isInstalled())
    .flatMap((program) => program.packages);
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

function reportMissing(programs: readonly Program[]): void {
  if (programs.length === 0) return;
  const text = programs.map(describeMissing).join('\n');
  if (process.env.CI === 'true') throw new Error(text);
  console.warn(text);
}

function describeMissing(program: Program): string {
  const { name, packages } = program;
  const server =
    'variables' in program
      ? `set ${(program as ServerKind).variables[0]}, start the one in compose.yaml, or `
      : '';
  return `Skipping the specs that need ${name}, which is not installed. To run them, ${server}install it (Debian: apt-get install ${packages.join(' ')}).`;
}
