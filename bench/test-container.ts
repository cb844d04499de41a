/** The test container: messages per second with a worker that does nothing. Run: npm run bench -- test-container */
import { TestContainer } from '../containers/test.ts';
import { inOwnProcess } from '../harness/own-process.ts';
import { atLeast, type Finding, printTable, show } from '../harness/report.ts';
import { inRounds, median, ROUNDS } from '../harness/statistics.ts';
import { queue } from '../src/index.ts';

const MESSAGES = 50_000;
const WARM_UP_MESSAGES = 10_000;
const ATS_ONCE = [1, 10];

interface Passage {
  /** Messages per second that are already in the queue. */
  readonly handled: number;
  /** Messages per second from the producer's call to the worker's return. */
  readonly sentAndHandled: number;
}

export async function bench(): Promise<Finding[]> {
  const rounds = await inRounds(ATS_ONCE, (concurrency) =>
    inOwnProcess<Passage>(import.meta.filename, 'pass', { concurrency }),
  );
  const measured = (concurrency: number, key: keyof Passage) =>
    median((rounds.get(concurrency) ?? []).map((passage) => passage[key]));
  printTable(
    `Test container: ${MESSAGES} messages, a worker that does nothing; median of ${ROUNDS}`,
    ['', 'handled/s', 'sent and handled/s'],
    ATS_ONCE.map((concurrency) => [
      `${concurrency} at once`,
      show(measured(concurrency, 'handled')),
      show(measured(concurrency, 'sentAndHandled')),
    ]),
  );
  return [atLeast('test container, messages handled', measured(1, 'handled'), 50_000, '/s')];
}

/** Runs in its own process. */
export async function pass({ concurrency }: { readonly concurrency: number }): Promise<Passage> {
  const send = queue<[number]>('numbers');
  const calls = (count: number) => Array.from({ length: count }, (_, n): [number] => [n]);
  const start = () => TestContainer.start({ queue: 'numbers', worker: () => () => {}, concurrency });

  const first = await start();
  await send.batch(calls(WARM_UP_MESSAGES));
  await first.idle();
  const sentAndHandled = await perSecond(async () => {
    await send.batch(calls(MESSAGES));
    await first.idle();
  });
  await first.stop();

  const waiting = await TestContainer.start({ queue: 'numbers' });
  await send.batch(calls(MESSAGES));
  const handled = await perSecond(async () => {
    const container = await start();
    await container.idle();
    if (container.deleted.length !== MESSAGES)
      throw new Error(`${container.deleted.length} messages were handled.`);
    await container.stop();
  });
  await waiting.stop();
  return { handled, sentAndHandled };
}

async function perSecond(act: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return MESSAGES / ((performance.now() - startedAt) / 1000);
}
