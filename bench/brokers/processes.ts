/**
 * `processes = 2` with a CPU-bound handler on one queue file: messages per second compared with one process, and with two
 * processes without a queue. Runs the output of `npm run build`.
 * Run: npm run bench -- brokers/processes
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runContainer } from '../../harness/executables.ts';
import { byTen } from '../../harness/loops.ts';
import { inOwnProcess } from '../../harness/own-process.ts';
import { atLeast, type Finding, printTable, show } from '../../harness/report.ts';
import { inRounds, median, ROUNDS } from '../../harness/statistics.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { work } from './busy-worker.ts';

const MESSAGES = 800;
const BARE_MS = 2_000;

const CANDIDATES = ['bare1', 'bare2', 'container1', 'container2'] as const;

const measures: Record<(typeof CANDIDATES)[number], () => Promise<number>> = {
  bare1: () => bareProcesses(1),
  bare2: () => bareProcesses(2),
  container1: () => container(1),
  container2: () => container(2),
};

export async function bench(): Promise<Finding[]> {
  const rounds = await inRounds(CANDIDATES, (name) => measures[name]());
  const rate = (name: (typeof CANDIDATES)[number]) => median(rounds.get(name) ?? []);
  const [bare, containers] = [rate('bare2') / rate('bare1'), rate('container2') / rate('container1')];
  printTable(
    `A CPU-bound handler of about 5 ms: messages per second; median of ${ROUNDS}`,
    ['', 'one process', 'two', 'ratio'],
    [
      ['the handler alone, no queue', show(rate('bare1')), show(rate('bare2')), show(bare)],
      [
        'sqs-concurrent on a queue file',
        show(rate('container1')),
        show(rate('container2')),
        show(containers),
      ],
    ],
  );
  return [atLeast('sqlite: two processes, CPU-bound handlers, vs. one', containers, 1.7, '×')];
}

async function bareProcesses(count: number): Promise<number> {
  const one = () => inOwnProcess<{ perSecond: number }>(import.meta.filename, 'workAlone', {});
  const rates = await Promise.all(Array.from({ length: count }, one));
  return rates.reduce((sum, { perSecond }) => sum + perSecond, 0);
}

/** Runs in its own process. */
export async function workAlone(): Promise<{ perSecond: number }> {
  const startedAt = performance.now();
  let done = 0;
  while (performance.now() < startedAt + BARE_MS) {
    work();
    done += 1;
  }
  return { perSecond: done / ((performance.now() - startedAt) / 1000) };
}

/** Messages per second while all processes of a container are working. */
async function container(processes: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'processes-'));
  const results = mkdtempSync(join(tmpdir(), 'processes-results-'));
  try {
    await fill(`sqlite:${join(folder, 'queues.db')}`);
    const code = await runContainer('concurrent', folder, settings(processes, results));
    if (code !== 0) throw new Error(`sqs-concurrent exited with code ${code}.`);
    const times = readdirSync(results).map(
      (file) => JSON.parse(readFileSync(join(results, file), 'utf8')) as number[],
    );
    if (times.length !== processes) throw new Error(`${times.length} processes worked.`);
    return rateWhileAllWork(times);
  } finally {
    for (const one of [folder, results]) rmSync(one, { recursive: true });
  }
}

/** `times` has the times at which each process finished its messages. */
function rateWhileAllWork(times: readonly number[][]): number {
  const from = Math.max(...times.map((doneAt) => doneAt[0]!));
  const to = Math.min(...times.map((doneAt) => doneAt.at(-1)!));
  const done = times.flat().filter((time) => time > from && time <= to).length;
  return done / ((to - from) / 1000);
}

async function fill(address: string): Promise<void> {
  const broker = await openBroker(address);
  const queue = await broker.open('bench');
  const bodies = Array.from({ length: MESSAGES }, () => '[[],{}]');
  await byTen(bodies, 1, (ten) => queue.send(ten.map((body) => ({ body }))));
  await broker.close();
}

function settings(processes: number, results: string): string {
  return [
    '[logger]',
    'level = warn',
    '[container]',
    `worker = ${join(import.meta.dirname, 'busy-worker.ts')}:worker`,
    'queue = bench',
    'broker = sqlite:queues.db',
    `processes = ${processes}`,
    'idle_exit = 1',
    '[worker]',
    `folder = ${results}`,
  ].join('\n');
}
