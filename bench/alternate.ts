/**
 * Compares two candidates more precisely than separate trials do: each has its own process, both are warm, and they
 * alternate every half second, so that other load on the machine affects both equally. While one is measured, the handler
 * of the other blocks.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { sleep } from '../harness/clock.ts';
import { startStub } from '../harness/sqs-stub-process.ts';
import { type CandidateName, candidates } from './candidates.ts';

/** How many times each candidate is measured, and for how long. */
export const INTERVALS = 12;
export const INTERVAL_SECONDS = 0.5;
/** Long enough to load the modules needed for the first view of a status server. */
const WARM_UP_SECONDS = 4;
/** More than can be handled in all intervals. */
const MESSAGES = 400_000;

/** A candidate's work in one interval. */
interface Usage {
  readonly messages: number;
  /** CPU time of its process, in microseconds. */
  readonly cpu: number;
}

/** CPU time per message of each candidate, in microseconds, with a handler that does nothing. */
export async function alternate(one: CandidateName, other: CandidateName): Promise<[number, number]> {
  const children = [one, other].map((name) => fork(import.meta.filename, [name], { execArgv: [] })) as [
    ChildProcess,
    ChildProcess,
  ];
  await Promise.all(children.map((child) => once(child, 'message')));
  for (const child of children) await measure(child, WARM_UP_SECONDS);
  const usages: [Usage[], Usage[]] = [[], []];
  for (let count = 0; count < INTERVALS; count += 1) {
    // Each candidate goes first equally often.
    for (const index of count % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      usages[index].push(await measure(children[index], INTERVAL_SECONDS));
    }
  }
  const exits = children.map((child) => once(child, 'exit'));
  for (const child of children) child.disconnect();
  await Promise.all(exits);
  return [cpuPerMessage(usages[0]), cpuPerMessage(usages[1])];
}

async function measure(child: ChildProcess, seconds: number): Promise<Usage> {
  child.send(seconds);
  const [usage] = (await once(child, 'message')) as [Usage];
  return usage;
}

function cpuPerMessage(usages: readonly Usage[]): number {
  const sum = (of: (usage: Usage) => number) => usages.reduce((total, usage) => total + of(usage), 0);
  return sum(({ cpu }) => cpu) / sum(({ messages }) => messages);
}

/** The process of a candidate: each message from the parent is an interval in seconds; replies with the usage. */
async function run(name: CandidateName): Promise<void> {
  const stub = await startStub(0, MESSAGES);
  let handled = 0;
  let next = Promise.withResolvers<void>();
  /** The handler waits for this; undefined while this candidate is measured. */
  let wait: Promise<void> | undefined = next.promise;
  const handle = () => {
    handled += 1;
    return wait;
  };
  process.on('message', async (seconds: number) => {
    wait = undefined;
    next.resolve();
    const [handledBefore, cpu] = [handled, process.cpuUsage()];
    await sleep(seconds * 1000);
    const { user, system } = process.cpuUsage(cpu);
    const usage: Usage = { messages: handled - handledBefore, cpu: user + system };
    next = Promise.withResolvers();
    wait = next.promise;
    process.send?.(usage);
  });
  const end = new AbortController();
  process.once('disconnect', () => {
    wait = undefined;
    next.resolve();
    end.abort();
  });
  const candidate = await candidates[name].load();
  const running = candidate({ stub, handle, end: end.signal });
  process.send?.('ready');
  await running;
  await stub.stop();
  if (handled >= MESSAGES) throw new Error(`${MESSAGES} messages were not enough for ${name}.`);
}

if (import.meta.main) void run(process.argv[2] as CandidateName).then(() => process.exit());
