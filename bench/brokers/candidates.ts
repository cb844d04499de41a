/**
 * What is compared: the queues of this project, and those that people use on the same stores. Each is loaded only where it
 * runs; those of others are a package of their own, `bench/peers`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreName } from '../../harness/brokers.ts';

/** The entry of our own queue has the name of its store. */
interface Entry {
  /** For people. */
  readonly title: string;
  readonly store: StoreName;
  /** The module, and its function that opens the queue (`OpenQueue`). */
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
    title: 'BullMQ, a Worker, 10 slots a consumer',
    store: 'redis',
    module: '../peers/bullmq.ts',
    open: 'openWorker',
  },
} satisfies Record<string, Entry> & Record<StoreName, Entry>;

export type CandidateName = keyof typeof candidates;

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
