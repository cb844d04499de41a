/**
 * One chaos run with one broker:
 * 1. several processes consume a standard queue and a FIFO queue, a producer sends to both, and faults occur as planned
 * 2. the faults end, and the processes handle the remaining messages
 * 3. the processes drain, and the verdict is computed from the ledger.
 */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrokerName } from '../harness/brokers.ts';
import { sleep } from '../harness/clock.ts';
import { seeded } from '../harness/random.ts';
import type { Broker } from '../src/brokers/broker.ts';
import { openBroker } from '../src/brokers/open.ts';
import { openFaultyBroker } from './brokers/open.ts';
import { bendClock } from './clock-jumps.ts';
import { drainRepeatedly, faultsOfProcesses, injectFaults, jumpsOf } from './faults.ts';
import { Fleet } from './fleet.ts';
import { History } from './history.ts';
import { readLedger } from './ledger.ts';
import { planFaults } from './plan.ts';
import { FIFO_QUEUE, Producer, STANDARD_QUEUE } from './producer.ts';
import { readStarvation, watchStarvation } from './starvation.ts';
import { programsOf, type Subject } from './subjects.ts';
import { isGood, judge, type Verdict } from './verdict.ts';

export interface TrialOptions {
  readonly subject: Subject;
  readonly broker: BrokerName;
  readonly seed: number;
  /** How long to inject faults. */
  readonly seconds: number;
  /** Instead of all faults: how many times the first process drains. */
  readonly sigterms?: number | undefined;
  readonly processes: number;
  /** How many messages to send; the faults end after the last one. Default: as many as can be handled in that time. */
  readonly messages?: number | undefined;
  /** In seconds. */
  readonly visibilityTimeout: number;
  /** An empty folder for all files. */
  readonly folder: string;
  /** Stops the faults early. */
  readonly signal?: AbortSignal;
}

export interface Trial extends Verdict {
  readonly options: TrialOptions;
  readonly history: History;
  /** How many messages were still in the queues at the end. */
  readonly left: number;
  readonly unexpectedExits: number;
  /** How many processes exited gracefully after SIGTERM, including those at the end of the run. */
  readonly drains: number;
  readonly leftOut: readonly string[];
  readonly good: boolean;
}

/** Enough messages that no process is idle for long. */
const BACKLOG = 200;
/** How long the processes can take to handle the remaining messages after the faults, in milliseconds. */
const LONGEST_REST_MS = 120_000;

export async function runTrial(options: TrialOptions): Promise<Trial> {
  const { folder, seed, seconds, visibilityTimeout, sigterms } = options;
  const brokerFolder = join(folder, 'broker');
  const processFolder = join(folder, 'processes');
  for (const path of [brokerFolder, processFolder]) mkdirSync(path);
  const broker = await openFaultyBroker(options.broker, brokerFolder, seed);
  const history = new History();
  const plan =
    sigterms === undefined
      ? planFaults(seed, seconds, [...faultsOfProcesses(visibilityTimeout), ...broker.faults])
      : [];
  const jumps = jumpsOf(plan, history.startedAt);
  const ledger = join(folder, 'ledger');
  const starvation = join(folder, 'starvation');
  // With faults, some messages take longer than the visibility timeout.
  const longestMs = sigterms === undefined ? visibilityTimeout * 1300 : 500;
  const setting = { folder: processFolder, address: broker.address, ledger, visibilityTimeout, longestMs };
  const fleet = new Fleet({
    programs: programsOf(options.subject, options.processes, setting),
    folder: processFolder,
    environment: {
      CHAOS_CLOCK: JSON.stringify(jumps),
      CHAOS_STARVATION: starvation,
      NODE_OPTIONS: `${imports('clock-jumps.ts', 'starvation.ts')} --disable-warning=ExperimentalWarning`,
    },
    history,
  });
  const straighten = bendClock(jumps);
  const stopWatching = watchStarvation(starvation);
  let direct: Broker | undefined;
  let noisy: Broker | undefined;
  try {
    direct = await openBroker(broker.directAddress);
    noisy = await openBroker(broker.address);
    for (const name of [STANDARD_QUEUE, FIFO_QUEUE]) await direct.create(name, { visibilityTimeout });
    const producer = await Producer.open({
      broker: noisy,
      direct,
      backlog: BACKLOG,
      messages: options.messages ?? Number.POSITIVE_INFINITY,
    });
    fleet.start();
    const producing = producer.run();
    const scene = { fleet, broker, history, until: Promise.race([producing, aborted(options.signal)]) };
    if (sigterms === undefined) await injectFaults(plan, seconds, scene);
    else await drainRepeatedly(sigterms, seeded(seed), { ...scene, ledger });
    producer.stop();
    await producing;
    history.note('the faults have ended');
    const left = await untilEmpty(direct);
    history.note(left === 0 ? 'the queues are empty' : `${left} messages are left`);
    await fleet.close();
    history.starved(readStarvation(starvation), process.pid);
    const verdict = judge({
      sent: producer.sent,
      ledger: readLedger(ledger),
      incidents: history.incidents,
      visibilityTimeout,
      sharedLock: broker.sharedLock,
    });
    const { unexpectedExits, drains } = fleet;
    const good = isGood(verdict) && left === 0 && unexpectedExits === 0;
    return { ...verdict, options, history, left, unexpectedExits, drains, leftOut: broker.leftOut, good };
  } finally {
    straighten();
    stopWatching();
    await fleet.close();
    await Promise.all([direct?.close(), noisy?.close()]);
    await broker.close();
  }
}

/** The Node.js options that make a process import files in this folder first. */
function imports(...names: readonly string[]): string {
  return names.map((name) => `--import=${join(import.meta.dirname, name)}`).join(' ');
}

function aborted(signal?: AbortSignal): Promise<unknown> {
  return signal ? once(signal, 'abort') : new Promise(() => {});
}

/** Waits until the queues are empty or the time is up; resolves to the number of remaining messages. */
async function untilEmpty(broker: Broker): Promise<number> {
  const queues = await Promise.all([STANDARD_QUEUE, FIFO_QUEUE].map((name) => broker.open(name)));
  const deadline = performance.now() + LONGEST_REST_MS;
  for (;;) {
    const counts = await Promise.all(queues.map((queue) => queue.counts().catch(() => undefined)));
    const left = counts.reduce((sum, one) => sum + (one ? one.visible + one.inFlight + one.delayed : 1), 0);
    if (left === 0 || performance.now() > deadline) return left;
    await sleep(100);
  }
}
