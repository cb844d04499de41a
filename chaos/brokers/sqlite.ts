/** Queues in a file, on a separate small disk that can fill up, if this user may mount one. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { BrokerFault, FaultyBroker } from './faulty-broker.ts';

const DISK_SIZE = '48m';

export async function openSqlite(folder: string): Promise<FaultyBroker> {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_SIZE}`, 'tmpfs', disk]);
  const isMounted = mount.status === 0;
  const file = join(disk, 'queues.db');
  return {
    address: `sqlite:${file}`,
    directAddress: `sqlite:${file}`,
    faults: [lockedFile(file), ...(isMounted ? [fullDisk(disk)] : [])],
    sharedLock: true,
    sharedClock: true,
    leftOut: isMounted ? [] : ['full disk: only root can mount a small disk (mount -t tmpfs)'],
    async close() {
      if (isMounted) spawnSync('umount', [disk]);
    },
  };
}

/** Simulates another program with a long write transaction. */
function lockedFile(file: string): BrokerFault {
  let connection: DatabaseSync | undefined;
  return {
    name: 'locked file',
    everySeconds: 12,
    seconds: [0.5, 7],
    begin() {
      connection = new DatabaseSync(file, { timeout: 1_000 });
      connection.exec('begin immediate');
    },
    end() {
      // Closing rolls back. There may be no transaction, if the file was already locked.
      connection?.close();
      connection = undefined;
    },
  };
}

function fullDisk(disk: string): BrokerFault {
  const ballast = join(disk, 'ballast');
  return {
    name: 'full disk',
    everySeconds: 12,
    seconds: [0.5, 7],
    begin() {
      const file = openSync(ballast, 'w');
      try {
        for (const size of [1 << 16, 1 << 12]) fill(file, Buffer.alloc(size));
      } finally {
        closeSync(file);
      }
    },
    end: () => rmSync(ballast, { force: true }),
  };
}

/** Writes until the disk is full. */
function fill(file: number, chunk: Buffer): void {
  try {
    for (;;) writeSync(file, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
