/**
 * Two processes on one queue, each with ten slots and handlers that take 200 ms. The second starts later: does it get
 * its share, or does the first hoard messages? Run: npm run bench -- prefetch
 */
import { sleep } from '../harness/clock.ts';
import { inOwnProcess } from '../harness/own-process.ts';
import { atLeast, atMost, type Finding, printTable, show } from '../harness/report.ts';
import { startStub } from '../harness/sqs-stub-process.ts';
import { openSqs } from '../src/brokers/sqs/broker.ts';
import { defaultSettings } from '../src/config/config.ts';
import { Consumer } from '../src/consumer/consumer.ts';
import { realHost } from '../src/host/host.ts';
import { handlers } from './work.ts';

const MESSAGES = 400;
const LATENCY_MS = 20;
const SLOTS = 10;
const HANDLER_MS = 200;
const LATER_MS = 1_000;

interface Share {
  /** When each message was done, in milliseconds since the epoch. */
  readonly doneAt: readonly number[];
  /** The maximum number of messages received and not done at the same time. */
  readonly mostHeld: number;
}

export async function bench(): Promise<Finding[]> {
  const { url, queue, stop } = await startStub(LATENCY_MS, MESSAGES);
  const work = () => inOwnProcess<Share>(import.meta.filename, 'share', { url, queue });
  const later = sleep(LATER_MS).then(work);
  const [first, second] = await Promise.all([work(), later]);
  await stop();

  const bothSince = second.doneAt[0] ?? Number.POSITIVE_INFINITY;
  const whileBoth = ({ doneAt }: Share) => doneAt.filter((time) => time >= bothSince).length;
  const both = whileBoth(first) + whileBoth(second);
  printTable(
    `Two processes on one queue, ${SLOTS} slots each, handlers of ${HANDLER_MS} ms, ${LATENCY_MS} ms per API call; the second starts ${LATER_MS} ms later`,
    ['', 'messages', 'share while both run', 'most held at once'],
    Object.entries({ first, second }).map(([name, share]) => [
      name,
      String(share.doneAt.length),
      show((whileBoth(share) / both) * 100, '%'),
      String(share.mostHeld),
    ]),
  );
  return [
    atLeast('prefetch, share of the second process', (whileBoth(second) / both) * 100, 45, '%'),
    atMost(`prefetch, messages held by a process with ${SLOTS} slots`, first.mostHeld, 2 * SLOTS),
  ];
}

/** Runs in its own process until the queue is empty. */
export async function share(at: { readonly url: string; readonly queue: string }): Promise<Share> {
  const broker = await openSqs({ endpoint: at.url, emulator: true });
  const handle = handlers.sleeping200ms();
  const doneAt: number[] = [];
  let received = 0;
  let mostHeld = 0;
  const worker = {
    handleMessage: async () => {
      await handle();
      doneAt.push(Date.now());
    },
  };
  const settings = {
    ...{ ...defaultSettings(), concurrency: SLOTS, poll: 20, idleExit: 1 },
    queue: [{ name: at.queue, weight: 1 }],
  };
  const consumer = await Consumer.open(realHost(broker), settings, {
    worker,
    observers: [
      {
        received: (_queue, messages) => {
          received += messages.length;
          mostHeld = Math.max(mostHeld, received - doneAt.length);
        },
      },
    ],
  });
  await consumer.run();
  await broker.close();
  return { doneAt, mostHeld };
}
