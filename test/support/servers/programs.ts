/** The programs that specs, benches and chaos run beside Node.js: what there is to know of each, and how they are found. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';

export interface Program {
  /** For people: `Chromium`. */
  readonly name: string;
  /** The Debian packages that have it. */
  readonly packages: readonly string[];
  /** Whether it is on this machine. */
  isInstalled(): boolean;
}

export interface ServerKind extends Program {
  /** The environment variables that name a server that runs; the first one gets the address of one that is started. */
  readonly variables: readonly string[];
  /** The address of a server that the environment names, or undefined. */
  addressInEnvironment(): string | undefined;
  /** Starts one on a free port of this machine, with its files in a temporary folder. */
  start(): Promise<StartedServer>;
}

export interface StartedServer {
  /** As brokers take it. */
  readonly address: string;
  /** Ends the server as a crash does, and starts it again on the same port with what was on its disk. */
  restart(): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/** Some servers refuse to run as root: then they run as `nobody`. */
export const USER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** A browser, for the status page. */
export const chromium: Program = {
  name: 'Chromium',
  packages: ['chromium'],
  isInstalled: () => folderOf('chromium') !== undefined,
};

/** Checks units of systemd. */
export const systemdAnalyze: Program = {
  name: 'systemd-analyze',
  packages: ['systemd'],
  isInstalled: () => folderOf('systemd-analyze') !== undefined,
};

/** A shell, for the completion of commands. */
export const zsh: Program = {
  name: 'zsh',
  packages: ['zsh'],
  isInstalled: () => folderOf('zsh') !== undefined,
};

/** The first folder that has all these programs: of the PATH, then of `others`. */
export function folderOf(programs: string | readonly string[], others: readonly string[] = []) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...others];
  return folders.find((folder) => [programs].flat().every((name) => existsSync(join(folder, name))));
}

/** A port of this machine on which nothing listens, for a server that is about to start. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
