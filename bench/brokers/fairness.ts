/**
 * Two processes receive and delete as fast as they can from one queue file: does each get its share? SQLite's lock does not
 * queue the processes that wait for it. Run: npm run bench -- brokers/fairness
 */
import { withStore } from '../../harness/brokers.ts';
import { sleep } from '../../harness/clock.ts';
import { byTen } from '../../harness/loops.ts';
import { inOwnProcess } from '../../harness/own-process.ts';
import { atLeast, type Finding, printTable, show } from '../../harness/report.ts';
import { inRounds, median, ROUNDS } from '../../harness/statistics.ts';
import { openBroker } from '../../src/brokers/open.ts';

/** More than can be handled in this time. */
const MESSAGES = 100_000;
/** How long both have to get ready, and how long they then run. */
const START_MS = 3_000;
const RUN_MS = 2_000;

interface Running {
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly from: number;
}

export async function bench(): Promise<Finding[]> {
  const rounds = await inRounds(['both'], () => withStore('sqlite', share));
  const shares = rounds.get('both') ?? [];
  printTable(
    `Two processes on one queue file for ${RUN_MS / 1000} s`,
    ['round', 'one', 'the other', 'smaller share'],
    shares.map((counts, round) => [String(round + 1), ...counts.map(String), show(smaller(counts), '%')]),
  );
  return [
    atLeast(
      `sqlite: smaller share of two processes, median of ${ROUNDS}`,
      median(shares.map(smaller)),
      45,
      '%',
    ),
  ];
}

async function share(address: string): Promise<number[]> {
  await inOwnProcess(import.meta.filename, 'fill', { address });
  const running: Running = { address, from: Date.now() + START_MS };
  const consume = () => inOwnProcess<{ handled: number }>(import.meta.filename, 'consume', running);
  return (await Promise.all([consume(), consume()])).map(({ handled }) => handled);
}

function smaller(counts: readonly number[]): number {
  return (Math.min(...counts) / counts.reduce((sum, count) => sum + count, 0)) * 100;
}

/** Runs in its own process. */
export async function fill({ address }: { readonly address: string }): Promise<object> {
  const broker = await openBroker(address);
  const queue = await broker.open('bench');
  const bodies = Array.from({ length: MESSAGES }, (_, number) => String(number));
  await byTen(bodies, 1, (ten) => queue.send(ten.map((body) => ({ body }))));
  await broker.close();
  return {};
}

/** Runs in its own process; returns how many messages it handled in the given time. */
export async function consume({ address, from }: Running): Promise<{ handled: number }> {
  const broker = await openBroker(address);
  const queue = await broker.open('bench');
  await sleep(from - Date.now());
  let handled = 0;
  while (Date.now() < from + RUN_MS) {
    const messages = await queue.receive({ max: 10, waitSeconds: 1 });
    if (messages.length === 0) throw new Error(`${MESSAGES} messages were not enough.`);
    await queue.delete(messages.map(({ receiptHandle }) => receiptHandle));
    handled += messages.length;
  }
  await broker.close();
  return { handled };
}
