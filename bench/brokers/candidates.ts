/**
 * The candidates: the queues of this project and popular queues on the same stores. Each is loaded only in the process that
 * runs it; the other projects' queues are a separate package, `bench/peers`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreName } from '../../harness/brokers.ts';

/** The entry of our own queue is named after its store. */
interface Entry {
  /** The name in tables. */
  readonly title: string;
  readonly store: StoreName;
  /** The module, and the name of its function that opens the queue (`OpenQueue`). */
  readonly module: string;
  readonly open: string;
}

export const candidates = {
  sqlite: {
    title: 'sqs-containers, synchronous = full',
    store: 'sqlite',
    module: 'ours.ts',
    open: 'openWithProducer',
  },
  plainjob: {
    title: 'plainjob, synchronous = normal',
    store: 'sqlite',
    module: '../peers/plainjob.ts',
    open: 'openPlainjob',
  },
  plainjobFull: {
    title: 'plainjob, synchronous = full',
    store: 'sqlite',
    module: '../peers/plainjob.ts',
    open: 'openDurablePlainjob',
  },
  liteque: {
    title: 'liteque, synchronous = normal',
    store: 'sqlite',
    module: '../peers/liteque.ts',
    open: 'openLiteque',
  },
  postgres: {
    title: 'sqs-containers',
    store: 'postgres',
    module: 'ours.ts',
    open: 'openOurs',
  },
  pgBoss: {
    title: 'pg-boss',
    store: 'postgres',
    module: '../peers/pg-boss.ts',
    open: 'openPgBoss',
  },
  redis: {
    title: 'sqs-containers',
    store: 'redis',
    module: 'ours.ts',
    open: 'openOurs',
  },
  bullmqOneByOne: {
    title: 'BullMQ, getNextJob and moveToCompleted',
    store: 'redis',
    module: '../peers/bullmq.ts',
    open: 'openOneByOne',
  },
  bullmqWorker: {
    title: 'BullMQ, a Worker, 10 slots per consumer',
    store: 'redis',
    module: '../peers/bullmq.ts',
    open: 'openWorker',
  },
} satisfies Record<string, Entry> & Record<StoreName, Entry>;

export type CandidateName = keyof typeof candidates;

const FOLDER = join(import.meta.dirname, '../peers');

/** Does not change the lock file. No install scripts are needed: native modules ship prebuilt. */
const INSTALL = ['install', '--no-save', '--ignore-scripts'];

/** Installs the peers if necessary. Throws if the installation fails. */
export function installPeers(): void {
  if (existsSync(join(FOLDER, 'node_modules'))) return;
  const command = `npm ${INSTALL.join(' ')}`;
  console.log(`Installing the queues to compare with: ${command}, in ${FOLDER}`);
  const { status } = spawnSync('npm', INSTALL, { cwd: FOLDER, stdio: 'inherit' });
  if (status !== 0)
    throw new Error(`${command} failed in ${FOLDER}. Run it there, then run the benchmark again.`);
}
