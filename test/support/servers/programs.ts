/** The programs other than Node.js that specs, benchmarks and chaos need, and how to find them. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';

export interface Program {
  /** The display name: `Chromium`. */
  readonly name: string;
  /** The Debian packages that provide it. */
  readonly packages: readonly string[];
  /** Whether it is installed. */
  isInstalled(): boolean;
}

export interface ServerKind extends Program {
  /** The environment variables that name a running server; the first is set to the address of a started server. */
  readonly variables: readonly string[];
  /** The address of the server named by the environment, or undefined. */
  addressInEnvironment(): string | undefined;
  /** Starts a server on a free local port, with its files in a temporary folder. */
  start(): Promise<StartedServer>;
}

export interface StartedServer {
  /** The broker address. */
  readonly address: string;
  /** Crashes the server and restarts it on the same port, with the data on its disk. */
  restart(): Promise<void>;
  /** Stops the server and removes its files. */
  stop(): Promise<void>;
}

/** Some servers refuse to run as root; they run as `nobody` instead. */
export const USER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** A browser, for the status page. */
export const chromium: Program = {
  name: 'Chromium',
  packages: ['chromium'],
  isInstalled: () => folderOf('chromium') !== undefined,
};

/** Checks systemd units. */
export const systemdAnalyze: Program = {
  name: 'systemd-analyze',
  packages: ['systemd'],
  isInstalled: () => folderOf('systemd-analyze') !== undefined,
};

/** A shell, for tab completion. */
export const zsh: Program = {
  name: 'zsh',
  packages: ['zsh'],
  isInstalled: () => folderOf('zsh') !== undefined,
};

/** The first folder with all these programs, on the PATH or in `others`. */
export function folderOf(programs: string | readonly string[], others: readonly string[] = []) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...others];
  return folders.find((folder) => [programs].flat().every((name) => existsSync(join(folder, name))));
}

/** A free local port, for a server that is about to start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
