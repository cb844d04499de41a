/**
 * How soon a long poll gets a message from another process, measured from the start of the send.
 * Run: npm run bench -- brokers/wake-up
 */
import { available, STORES, type StoreName, stores, withStore } from '../../harness/brokers.ts';
import { elapsed, sleep } from '../../harness/clock.ts';
import { inOwnProcess } from '../../harness/own-process.ts';
import { atMost, type Finding, printTable, show } from '../../harness/report.ts';
import { median, percentile } from '../../harness/statistics.ts';
import { openBroker } from '../../src/brokers/open.ts';

const MESSAGES = 100;
/** The pause until the next receive is waiting. Random, so that it does not synchronize with any periodic polling. */
const PAUSE_MS = { least: 50, most: 150 };
const START_MS = 1_000;

interface Delays {
  readonly milliseconds: readonly number[];
}

export async function bench(): Promise<Finding[]> {
  const delays = new Map<StoreName, { median: number; percentile95: number }>();
  for (const store of available(STORES)) {
    const [{ milliseconds }] = await withStore(store, (address) =>
      Promise.all([
        inOwnProcess<Delays>(import.meta.filename, 'receive', { address }),
        inOwnProcess(import.meta.filename, 'send', { address }),
      ]),
    );
    delays.set(store, { median: median(milliseconds), percentile95: percentile(milliseconds, 0.95) });
  }
  printTable(
    `From a send in another process to the return of the long poll, ${MESSAGES} times`,
    ['', 'median', '95th percentile'],
    [...delays].map(([store, { median, percentile95 }]) => [
      stores[store].title,
      show(median, 'ms'),
      show(percentile95, 'ms'),
    ]),
  );
  return [...delays].map(([store, { percentile95 }]) =>
    atMost(
      `${stores[store].title}: sent to received by a long poll, 95th percentile`,
      percentile95,
      50,
      'ms',
    ),
  );
}

/** Runs in its own process. */
export async function receive({ address }: { readonly address: string }): Promise<Delays> {
  const broker = await openBroker(address);
  const queue = await broker.open('bench');
  const milliseconds: number[] = [];
  while (milliseconds.length < MESSAGES) {
    const [message] = await queue.receive({ max: 1, waitSeconds: 20 });
    const receivedAt = elapsed();
    if (!message) throw new Error('No message arrived.');
    milliseconds.push(receivedAt - Number(message.body));
    await queue.delete([message.receiptHandle]);
  }
  await broker.close();
  return { milliseconds };
}

/** Runs in its own process. Each body is the time of its send, by the machine's clock. */
export async function send({ address }: { readonly address: string }): Promise<object> {
  const broker = await openBroker(address);
  const queue = await broker.open('bench');
  await sleep(START_MS);
  for (let sent = 0; sent < MESSAGES; sent += 1) {
    await queue.send([{ body: String(elapsed()) }]);
    await sleep(PAUSE_MS.least + Math.random() * (PAUSE_MS.most - PAUSE_MS.least));
  }
  await broker.close();
  return {};
}
