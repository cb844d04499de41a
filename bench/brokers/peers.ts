/** Installs what the brokers are compared with, which those who only build the project do not need. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../peers');

/** The lock file is kept as it is; what they would compile comes along compiled, too. */
const INSTALL = ['install', '--no-save', '--ignore-scripts'];

/** Installs the package of the peers unless it is. Throws if that fails. */
export function installPeers(): void {
  if (existsSync(join(FOLDER, 'node_modules'))) return;
  const command = `npm ${INSTALL.join(' ')}`;
  console.log(`Installing what the brokers are compared with: ${command}, in ${FOLDER}`);
  const { status } = spawnSync('npm', INSTALL, { cwd: FOLDER, stdio: 'inherit' });
  if (status !== 0)
    throw new Error(`${command} failed in ${FOLDER}. Run it there, and then the bench again.`);
}
