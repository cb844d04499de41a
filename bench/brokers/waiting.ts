/**
 * How long a receive of ten messages takes with a million messages in the queue, compared with a thousand. Each queue has
 * its own store, and they are measured in turn. Run: npm run bench -- brokers/waiting
 */
import { available, STORES, type StoreName, stores, withStore } from '../../harness/brokers.ts';
import { byTen } from '../../harness/loops.ts';
import { inOwnProcess } from '../../harness/own-process.ts';
import { atMost, type Finding, printTable, show } from '../../harness/report.ts';
import { median } from '../../harness/statistics.ts';
import type { Queue } from '../../src/brokers/broker.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { BODY } from './speed.ts';

const FEW = 1_000;
const MANY = 1_000_000;
const SENDERS = 8;
const WARM_UPS = 100;
const RECEIVES = 500;

/** Medians, in milliseconds. */
interface ReceiveTimes {
  readonly few: number;
  readonly many: number;
}

export async function bench(): Promise<Finding[]> {
  const times = new Map<StoreName, ReceiveTimes>();
  for (const store of available(STORES)) {
    const measured = await withStore(store, (few) =>
      withStore(store, (many) =>
        inOwnProcess<ReceiveTimes>(import.meta.filename, 'receiveTimes', { few, many }),
      ),
    );
    times.set(store, measured);
  }
  printTable(
    `A receive of ten messages of 300 bytes, median of ${RECEIVES}`,
    ['', `${FEW} waiting`, `${MANY} waiting`, 'ratio'],
    [...times].map(([store, { few, many }]) => [
      stores[store].title,
      show(few, 'ms'),
      show(many, 'ms'),
      show(many / few),
    ]),
  );
  return [...times].map(([store, { few, many }]) =>
    atMost(`${stores[store].title}: a receive with ${MANY} waiting, vs. ${FEW}`, many / few, 1.5),
  );
}

/** Runs in its own process. */
export async function receiveTimes(addresses: {
  readonly few: string;
  readonly many: string;
}): Promise<ReceiveTimes> {
  const brokers = await Promise.all([openBroker(addresses.few), openBroker(addresses.many)]);
  const [few, many] = await Promise.all(brokers.map((broker) => broker.open('bench')));
  await send(few!, FEW);
  await send(many!, MANY);
  const times = { few: [] as number[], many: [] as number[] };
  for (let round = -WARM_UPS; round < RECEIVES; round += 1) {
    const inTurn = { few: await receiveTime(few!), many: await receiveTime(many!) };
    if (round < 0) continue;
    times.few.push(inTurn.few);
    times.many.push(inTurn.many);
  }
  await Promise.all(brokers.map((broker) => broker.close()));
  return { few: median(times.few), many: median(times.many) };
}

/** In milliseconds. The queue has the same number of messages afterwards. */
async function receiveTime(queue: Queue): Promise<number> {
  const startedAt = performance.now();
  const messages = await queue.receive({ max: 10, waitSeconds: 0 });
  const time = performance.now() - startedAt;
  if (messages.length !== 10) throw new Error(`Received ${messages.length} messages instead of ten.`);
  await queue.delete(messages.map(({ receiptHandle }) => receiptHandle));
  await send(queue, messages.length);
  return time;
}

function send(queue: Queue, count: number): Promise<void> {
  const bodies = Array.from({ length: count }, () => BODY);
  return byTen(bodies, SENDERS, (ten) => queue.send(ten.map((body) => ({ body }))));
}
