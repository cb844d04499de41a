/**
 * An empty queue: how many receive calls per hour, how soon a wake-up ends a pause, and how soon a new message reaches the
 * handler. Run: npm run bench -- idle
 */
import { useFakeTimers } from 'sinon';
import { sleep } from '../harness/clock.ts';
import { inOwnProcess } from '../harness/own-process.ts';
import { atMost, type Finding, printTable, show } from '../harness/report.ts';
import { openBareHttp } from '../harness/sqs-clients.ts';
import { startStub } from '../harness/sqs-stub-process.ts';
import { inRounds, median, ROUNDS } from '../harness/statistics.ts';
import { MemoryBroker } from '../src/brokers/memory/broker.ts';
import { openSqs } from '../src/brokers/sqs/broker.ts';
import { defaultSettings } from '../src/config/config.ts';
import { Consumer, type ConsumerSettings } from '../src/consumer/consumer.ts';
import { realHost } from '../src/host/host.ts';
import { type CandidateName, candidates } from './candidates.ts';

const HOUR_MS = 3_600_000;
/** SQS's limit for a long poll, in seconds. */
const LONGEST_WAIT_SECONDS = 20;
/** `idle_pause`, in seconds. */
const IDLE_PAUSES = [0, 10, 60, 300];
const WAKES = 5;
const LATENCY_MS = 20;
const SENT = 20;
const WAITING = ['rawLoop', 'sequential', 'concurrent'] as const;
const MESSAGE = { MessageBody: '[[1],{}]' };

const SETTINGS: ConsumerSettings = {
  ...{ ...defaultSettings(), concurrency: 1, poll: LONGEST_WAIT_SECONDS },
};

export async function bench(): Promise<Finding[]> {
  const file = import.meta.filename;
  const hours = new Map<number, number[]>();
  for (const idlePause of IDLE_PAUSES) {
    hours.set(idlePause, await inOwnProcess<number[]>(file, 'idleForTwoHours', { idlePause }));
  }
  printTable(
    'Idle: receive calls for one empty queue, simulated on a fake clock, long polls of 20 s',
    ['idle_pause', 'in the first hour', 'in the second hour'],
    [...hours].map(([idlePause, calls]) => [`${idlePause} s`, ...calls.map(String)]),
  );

  const wakes = await inOwnProcess<{ milliseconds: number[] }>(file, 'wakeFromPauses', {});
  const slowest = Math.max(...wakes.milliseconds);
  console.log(
    `\nWoken by SIGUSR2 from idle_pause, to the handler's start, no latency: ${wakes.milliseconds.map((time) => show(time, 'ms')).join(', ')}`,
  );

  const delays = await inRounds(WAITING, (candidate) =>
    inOwnProcess<{ milliseconds: number }>(file, 'sendWhileIdle', { candidate }),
  );
  const delay = (name: CandidateName) =>
    median((delays.get(name as (typeof WAITING)[number]) ?? []).map(({ milliseconds }) => milliseconds));
  printTable(
    `Sent while idle, to the handler's start: ${LATENCY_MS} ms per API call, which is the server's own time; median of ${ROUNDS} × ${SENT}`,
    ['', 'takes', 'beyond the server'],
    WAITING.map((name) => [
      candidates[name].title,
      show(delay(name), 'ms'),
      show(delay(name) - LATENCY_MS, 'ms'),
    ]),
  );
  return [
    atMost(
      'idle, receive calls per hour with long polls',
      hours.get(0)?.[0] ?? Number.NaN,
      HOUR_MS / 1000 / LONGEST_WAIT_SECONDS,
    ),
    atMost('idle, woken from idle_pause to handler start', slowest, 50, 'ms'),
    ...(['sequential', 'concurrent'] as const).map((name) =>
      atMost(
        `idle, sent to handler start beyond the server's time, ${name}`,
        delay(name) - LATENCY_MS,
        LATENCY_MS,
        'ms',
      ),
    ),
  ];
}

/** Runs in its own process, because it fakes the clock. Returns the calls of each hour. */
export async function idleForTwoHours({ idlePause }: { readonly idlePause: number }): Promise<number[]> {
  const clock = useFakeTimers();
  const calls = [0, 0];
  const queue = Object.assign(await new MemoryBroker().open('empty'), {
    receive: ({ waitSeconds }: { readonly waitSeconds: number }) => {
      calls[Math.floor(clock.now / HOUR_MS)]! += 1;
      const milliseconds = Math.min(waitSeconds, LONGEST_WAIT_SECONDS) * 1000;
      return new Promise<[]>((resolve) => setTimeout(() => resolve([]), milliseconds));
    },
  });
  const settings = { ...SETTINGS, idlePause };
  const host = realHost({ open: async () => queue });
  const consumer = await Consumer.open(host, settings, { worker: { handleMessage() {} } });
  void consumer.run();
  await clock.tickAsync(calls.length * HOUR_MS - 1);
  return calls;
}

/** Runs in its own process. */
export async function wakeFromPauses(): Promise<{ milliseconds: number[] }> {
  const stub = await startStub(0, 0);
  const http = openBareHttp(stub.url);
  const broker = await openSqs({ endpoint: stub.url, emulator: true });
  let handledAt = Promise.withResolvers<number>();
  let pauseIsLong = Promise.withResolvers<void>();
  let lastReceiveAt = performance.now();
  const settings = { ...SETTINGS, queue: [{ name: stub.queue, weight: 1 }], poll: 0, idlePause: 60 };
  const consumer = await Consumer.open(realHost(broker), settings, {
    worker: { handleMessage: () => handledAt.resolve(performance.now()) },
    observers: [
      {
        // Pauses grow: after a pause of half a second, the next one is longer.
        received: () => {
          if (performance.now() - lastReceiveAt > 500) pauseIsLong.resolve();
          lastReceiveAt = performance.now();
        },
      },
    ],
  });
  process.on('SIGUSR2', () => consumer.wake());
  const running = consumer.run();

  const milliseconds: number[] = [];
  for (let wake = 0; wake < WAKES; wake += 1) {
    await pauseIsLong.promise;
    await http.post('SendMessage', { QueueUrl: stub.queueUrl, ...MESSAGE });
    const sentAt = performance.now();
    process.kill(process.pid, 'SIGUSR2');
    milliseconds.push((await handledAt.promise) - sentAt);
    handledAt = Promise.withResolvers();
    pauseIsLong = Promise.withResolvers();
  }
  consumer.stop();
  await running;
  await broker.close();
  await stub.stop();
  return { milliseconds };
}

/** Runs in its own process; returns the median time from the send of a message to its handler. */
export async function sendWhileIdle({
  candidate,
}: {
  readonly candidate: CandidateName;
}): Promise<{ milliseconds: number }> {
  const stub = await startStub(LATENCY_MS, 0);
  const http = openBareHttp(stub.url);
  const send = () => http.post('SendMessage', { QueueUrl: stub.queueUrl, ...MESSAGE });
  let handledAt = Promise.withResolvers<number>();
  const handle = () => handledAt.resolve(performance.now());
  const end = new AbortController();
  const run = await candidates[candidate].load();
  const running = run({ stub, handle, end: end.signal });

  const times: number[] = [];
  for (let message = 0; message < SENT; message += 1) {
    await sleep(300);
    handledAt = Promise.withResolvers();
    const sentAt = performance.now();
    await Promise.all([send(), handledAt.promise.then((at) => times.push(at - sentAt))]);
  }
  end.abort();
  // Ends the long poll in progress.
  await send();
  await running;
  await stub.stop();
  return { milliseconds: median(times) };
}
