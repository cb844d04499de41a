/**
 * The cost of the status server: CPU time per message of a busy container, with and without its page open and its metrics
 * requested every five seconds, compared with a container without a status server; and CPU time of an idle container.
 * Run: npm run bench -- status
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../harness/clock.ts';
import { inOwnProcess } from '../harness/own-process.ts';
import { atMost, type Finding, printTable, show } from '../harness/report.ts';
import { startStub } from '../harness/sqs-stub-process.ts';
import { inRounds, median, ROUNDS } from '../harness/statistics.ts';
import { alternate, INTERVAL_SECONDS, INTERVALS } from './alternate.ts';
import { run } from './candidates/container.ts';
import { type CandidateName, candidates } from './candidates.ts';

/** The cost is smaller than the compiler's variation between two processes, so several pairs are compared. */
const PAIRS = 7;
const IDLE_WARM_UP_SECONDS = 3;
const IDLE_SECONDS = 20;
const IDLE = { 'without a status server': false, 'with one, no viewer': true } as const;

export async function bench(): Promise<Finding[]> {
  const [alone, watched] = [await ratios('status'), await ratios('watched')];
  printTable(
    `Status server: a full queue, a handler that does nothing; CPU time per message of the container's process, vs. without a status server; medians of ${PAIRS} pairs of processes, ${INTERVALS} intervals of ${INTERVAL_SECONDS} s each`,
    ['', 'vs. without', 'pair by pair'],
    [
      [candidates.status.title, show(median(alone)), alone.map((ratio) => show(ratio)).join(', ')],
      [candidates.watched.title, show(median(watched)), watched.map((ratio) => show(ratio)).join(', ')],
    ],
  );
  const names = Object.keys(IDLE) as (keyof typeof IDLE)[];
  const idle = await inRounds(names, (name) =>
    inOwnProcess<{ percent: number }>(import.meta.filename, 'idle', { hasStatus: IDLE[name] }),
  );
  const percent = (name: keyof typeof IDLE) => median((idle.get(name) ?? []).map((result) => result.percent));
  printTable(
    `An idle container: share of a CPU over ${IDLE_SECONDS} s, median of ${ROUNDS}`,
    ['', 'CPU'],
    names.map((name) => [name, show(percent(name), '%')]),
  );
  return [
    atMost('status server, CPU per message, vs. without', median(alone), 1.03),
    atMost('status server with a viewer, CPU per message, vs. without', median(watched), 1.03),
    atMost('idle container with a status server, CPU', percent('with one, no viewer'), 0.2, '%'),
  ];
}

/** CPU time per message relative to a container without a status server, pair by pair. */
async function ratios(name: CandidateName): Promise<number[]> {
  const pairs: number[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const [without, withStatus] = await alternate('concurrent', name);
    pairs.push(withStatus / without);
  }
  return pairs;
}

/** Runs in its own process: a container on an empty queue. */
export async function idle({ hasStatus }: { readonly hasStatus: boolean }): Promise<{ percent: number }> {
  const stub = await startStub(0, 0);
  const end = new AbortController();
  const socket = join(tmpdir(), `bench-idle-${process.pid}.sock`);
  const http = hasStatus ? ['[http]', `listen = ${socket}`] : [];
  const running = run('sqs-concurrent', ['worker = ./container-worker.ts:worker', ...http])({
    stub,
    handle: () => {},
    end: end.signal,
  });
  await sleep(IDLE_WARM_UP_SECONDS * 1000);
  const before = process.cpuUsage();
  await sleep(IDLE_SECONDS * 1000);
  const { user, system } = process.cpuUsage(before);
  end.abort();
  await running;
  await stub.stop();
  return { percent: (user + system) / 1e4 / IDLE_SECONDS };
}
