/**
 * The soak: one container handles a million messages without faults, and its memory and handles must not grow.
 * `npm run chaos -- soak`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Broker } from '../src/brokers/broker.ts';
import { openBroker } from '../src/brokers/open.ts';
import { type BrokerName, openPlace } from './places/open.ts';
import { STANDARD_QUEUE } from './queues.ts';
import { growthOf, type Sample } from './samples.ts';

export interface SoakOptions {
  readonly broker: BrokerName;
  readonly messages: number;
  /** An empty folder for all files. */
  readonly folder: string;
}

export interface Soak {
  readonly samples: readonly Sample[];
  readonly exitCode: number | null;
  readonly seconds: number;
}

const SAMPLES = 100;
/** How many messages may wait. */
const BACKLOG = 5_000;
/** How many requests send at once. */
const SENDERS = 4;
const BATCH = 10;

export async function runSoak({ broker, messages, folder }: SoakOptions): Promise<Soak> {
  const placeFolder = join(folder, 'place');
  mkdirSync(placeFolder);
  const place = await openPlace(broker, placeFolder, 0);
  const samples = join(folder, 'samples');
  writeFileSync(samples, '');
  writeFileSync(
    join(folder, 'worker.mjs'),
    `export { worker } from '${join(import.meta.dirname, 'soak-worker.ts')}';`,
  );
  writeFileSync(
    join(folder, 'worker.ini'),
    `[container]
worker = ./worker.mjs:worker
queue = ${STANDARD_QUEUE}
broker = ${place.quietAddress}
message_limit = ${messages}
[worker]
samples = ${samples}
every = ${Math.floor(messages / SAMPLES)}
`,
  );
  const startedAt = performance.now();
  let exitCode: number | null;
  const opened = await openBroker(place.quietAddress);
  try {
    await opened.create(STANDARD_QUEUE);
    const container = spawn(
      process.execPath,
      [join(import.meta.dirname, '../dist/containers/concurrent.js'), 'worker.ini'],
      { cwd: folder, env: { PATH: process.env.PATH, HOME: folder }, stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const exit = once(container, 'exit') as Promise<[number | null]>;
    await send(opened, messages);
    [exitCode] = await exit;
  } finally {
    await opened.close();
    await place.close();
  }
  return { samples: read(samples), exitCode, seconds: (performance.now() - startedAt) / 1000 };
}

/** What grew, as text, for each of the figures; `good` says whether it stayed within its bound. */
export function judgeSoak({ samples, exitCode }: Soak): { readonly good: boolean; readonly lines: string[] } {
  const figures = [
    ['heap after garbage collection', 'MiB', 2 ** 20, 4, ({ heapUsed }: Sample) => heapUsed],
    ['resident memory', 'MiB', 2 ** 20, 16, ({ rss }: Sample) => rss],
    ['handles', '', 1, 1, ({ handles }: Sample) => handles],
  ] as const;
  const results = figures.map(([name, unit, size, bound, of]) => {
    const { first, last, growth } = growthOf(samples, of);
    const text = (value: number) => `${(value / size).toFixed(2)} ${unit}`.trim();
    return {
      good: growth / size <= bound,
      line: `${name}: ${text(first)} at first, ${text(last)} at last, grows by ${text(growth)} a million messages (bound ${bound} ${unit})`,
    };
  });
  return {
    good: exitCode === 0 && results.every(({ good }) => good),
    lines: [...results.map(({ line }) => line), `exit code ${exitCode}`],
  };
}

async function send(broker: Broker, messages: number): Promise<void> {
  const queue = await broker.open(STANDARD_QUEUE);
  let sent = 0;
  const sender = async () => {
    while (sent < messages) {
      const size = Math.min(BATCH, messages - sent);
      sent += size;
      await queue.send(Array.from({ length: size }, () => ({ body: '[[1,2,3],{}]' })));
      if (sent % 1_000 === 0) while ((await queue.counts()).visible > BACKLOG) await pause();
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

function read(path: string): Sample[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Sample);
}
