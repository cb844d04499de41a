/** Finds programs on this machine, and has those that specs run beside servers. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Program } from './server.ts';

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
