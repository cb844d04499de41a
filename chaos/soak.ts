/**
 * The soak test: a container handles a million messages without faults, and its memory and handles must not grow.
 * `npm run chaos -- soak`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrokerName } from '../harness/brokers.ts';
import { sleep } from '../harness/clock.ts';
import { runContainer } from '../harness/executables.ts';
import { byTen } from '../harness/loops.ts';
import { slope } from '../harness/statistics.ts';
import type { Broker } from '../src/brokers/broker.ts';
import { openBroker } from '../src/brokers/open.ts';
import { openFaultyBroker } from './brokers/open.ts';
import { STANDARD_QUEUE } from './producer.ts';
import type { Sample } from './soak-worker.ts';

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
/** How many messages can be in the queue. */
const BACKLOG = 5_000;
/** The number of concurrent senders. */
const SENDERS = 4;

interface Growth {
  readonly first: number;
  readonly last: number;
  /** Per million messages. */
  readonly growth: number;
}

/** The share of the first samples to ignore, while caches fill and code is compiled. */
const WARMING_UP = 0.3;

/** Throws a RangeError if there are not enough samples. */
export function growthOf(samples: readonly Sample[], of: (sample: Sample) => number): Growth {
  const warm = samples.slice(Math.floor(samples.length * WARMING_UP));
  if (warm.length < 5) throw new RangeError(`${samples.length} samples are not enough to measure growth`);
  const growth = slope(warm.map((sample) => [sample.messages, of(sample)])) * 1e6;
  return { first: of(warm[0]!), last: of(warm.at(-1)!), growth };
}

export async function runSoak({ broker, messages, folder }: SoakOptions): Promise<Soak> {
  const brokerFolder = join(folder, 'broker');
  mkdirSync(brokerFolder);
  const { directAddress, close } = await openFaultyBroker(broker, brokerFolder, 0);
  const samples = join(folder, 'samples');
  writeFileSync(samples, '');
  writeFileSync(
    join(folder, 'worker.mjs'),
    `export { worker } from '${join(import.meta.dirname, 'soak-worker.ts')}';`,
  );
  const settings = `[container]
worker = ./worker.mjs:worker
queue = ${STANDARD_QUEUE}
broker = ${directAddress}
message_limit = ${messages}
[worker]
samples = ${samples}
every = ${Math.floor(messages / SAMPLES)}
`;
  const startedAt = performance.now();
  let exitCode: number | null;
  const opened = await openBroker(directAddress);
  try {
    await opened.create(STANDARD_QUEUE);
    [exitCode] = await Promise.all([runContainer('concurrent', folder, settings), send(opened, messages)]);
  } finally {
    await opened.close();
    await close();
  }
  return { samples: read(samples), exitCode, seconds: (performance.now() - startedAt) / 1000 };
}

/** Describes the growth of each value; `good` is true if all stayed within their bounds. */
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
      line: `${name}: ${text(first)} at first, ${text(last)} at the end, grows by ${text(growth)} per million messages (bound ${bound} ${unit})`,
    };
  });
  return {
    good: exitCode === 0 && results.every(({ good }) => good),
    lines: [...results.map(({ line }) => line), `exit code ${exitCode}`],
  };
}

async function send(broker: Broker, messages: number): Promise<void> {
  const queue = await broker.open(STANDARD_QUEUE);
  const bodies = Array.from({ length: messages }, () => '[[1,2,3],{}]');
  let batches = 0;
  await byTen(bodies, SENDERS, async (ten) => {
    await queue.send(ten.map((body) => ({ body })));
    batches += 1;
    if (batches % 100 === 0) while ((await queue.counts()).visible > BACKLOG) await sleep(20);
  });
}

function read(path: string): Sample[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Sample);
}
