/** The folder of the crash records: where it is, and a check that no other user can write to it. */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Files } from '../files.ts';

/**
 * The default folder of crash records: in the service's folder if systemd set one (`StateDirectory=`, or else
 * `RuntimeDirectory=`; the first of several), otherwise in the temporary folder.
 *
 *     crashFolder({ STATE_DIRECTORY: '/var/lib/orders:/var/lib/b' }, '/tmp', 1000) // '/var/lib/orders/sqs-containers'
 *     crashFolder({}, '/tmp', 1000)                                                // '/tmp/sqs-containers-1000'
 *
 * systemd removes a runtime folder at each restart, and with it the record, unless `RuntimeDirectoryPreserve=restart`
 * is set; and a unit's private `/tmp` when it stops.
 */
export function crashFolder(
  environment: NodeJS.ProcessEnv = process.env,
  temporaryFolder = tmpdir(),
  userId = process.getuid?.() ?? 0,
): string {
  const folders = environment.STATE_DIRECTORY || environment.RUNTIME_DIRECTORY;
  const folder = folders?.split(':')[0];
  return folder ? join(folder, 'sqs-containers') : join(temporaryFolder, `sqs-containers-${userId}`);
}

/**
 * Creates the folder for this user only, unless it exists. Throws if it cannot be created, or if others could plant
 * files in it: it is a symbolic link, belongs to another user, or others can write to it.
 */
export function makeCrashFolder(folder: string, files: Files = fs): void {
  files.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stats = files.lstatSync(folder);
  if (!stats.isDirectory()) throw new Error('it is a symbolic link, not a folder');
  const userId = process.getuid?.();
  if (userId === undefined) return;
  if (stats.uid !== userId) throw new Error(`it belongs to user ${stats.uid}, not to user ${userId}`);
  if (stats.mode & 0o022) throw new Error('other users can write to it; expected mode 0700');
}
