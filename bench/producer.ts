/**
 * A thousand calls made together: API calls per message, and the rate compared with one SendMessage each. 10 ms per API
 * call.
 * Run: npm run bench -- producer
 */
import { inOwnProcess } from '../harness/own-process.ts';
import { atLeast, atMost, type Finding, printTable, show } from '../harness/report.ts';
import { openSdk } from '../harness/sqs-clients.ts';
import { type StubProcess, startStub } from '../harness/sqs-stub-process.ts';
import { inRounds, median, ROUNDS } from '../harness/statistics.ts';
import { closeProducers, queue } from '../src/index.ts';

const CALLS = 1_000;
const LATENCY_MS = 10;
const WARM_UPS = 3;

/** Each returns a function that sends a message. */
const senders = {
  'SDK: one SendMessage each': (stub: StubProcess) => {
    const sqs = openSdk(stub.url);
    return (n: number) => sqs.sendMessage({ QueueUrl: stub.queueUrl, MessageBody: `[[${n}],{}]` });
  },
  'queue(name)': (stub: StubProcess) => queue<[number]>(stub.queue, { broker: `sqs+${stub.url}` }),
} satisfies Record<string, (stub: StubProcess) => (n: number) => Promise<unknown>>;

type SenderName = keyof typeof senders;
const [ONE_EACH, OURS] = Object.keys(senders) as [SenderName, SenderName];

interface Sending {
  readonly callsPerMessage: number;
  readonly messagesPerSecond: number;
  readonly cpuPerMessage: number;
}

export async function bench(): Promise<Finding[]> {
  const rounds = await inRounds([ONE_EACH, OURS], (name) =>
    inOwnProcess<Sending>(import.meta.filename, 'sendTogether', { name }),
  );
  const measured = (name: SenderName, key: keyof Sending) =>
    median((rounds.get(name) ?? []).map((sending) => sending[key]));
  printTable(
    `Producer: ${CALLS} calls made together, ${LATENCY_MS} ms per API call; median of ${ROUNDS}`,
    ['', 'API calls per message', 'messages/s', 'CPU per message'],
    [ONE_EACH, OURS].map((name) => [
      name,
      show(measured(name, 'callsPerMessage')),
      show(measured(name, 'messagesPerSecond')),
      show(measured(name, 'cpuPerMessage'), 'µs'),
    ]),
  );
  const gain = measured(OURS, 'messagesPerSecond') / measured(ONE_EACH, 'messagesPerSecond');
  return [
    atMost(`producer, API calls per message, ${CALLS} calls`, measured(OURS, 'callsPerMessage'), 0.11),
    atLeast('producer, rate vs. one SendMessage each', gain, 1, '×'),
  ];
}

/** Runs in its own process. */
export async function sendTogether({ name }: { readonly name: SenderName }): Promise<Sending> {
  const stub = await startStub(LATENCY_MS, 0);
  const send = senders[name](stub);
  const sendAll = () => Promise.all(Array.from({ length: CALLS }, (_, n) => send(n)));
  // Includes the very first calls, which look up the queue.
  await sendAll();
  const callsPerMessage = (await stub.calls()) / CALLS;
  for (let round = 0; round < WARM_UPS; round += 1) await sendAll();
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  await sendAll();
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - startedAt) / 1000;
  await closeProducers();
  await stub.stop();
  return {
    callsPerMessage,
    messagesPerSecond: CALLS / seconds,
    cpuPerMessage: (user + system) / CALLS,
  };
}
