/** The faults of a run, and their injection at the planned times. */
import { statSync } from 'node:fs';
import { sleep } from '../harness/clock.ts';
import { between, type Random, seeded } from '../harness/random.ts';
import type { BrokerFault, FaultyBroker } from './brokers/faulty-broker.ts';
import type { ClockJump } from './clock-jumps.ts';
import type { Fleet } from './fleet.ts';
import type { History } from './history.ts';
import type { Fault, FaultKind } from './plan.ts';

const SIGKILL = 'SIGKILL';
const SIGTERM = 'SIGTERM';
const SIGSTOP = 'SIGSTOP';
const CLOCK_JUMP = 'jump of the clock';

/** The faults of processes and their clock. `visibilityTimeout` is in seconds; some stops last longer. */
export function faultsOfProcesses(visibilityTimeout: number): FaultKind[] {
  return [
    { name: SIGKILL, everySeconds: 4, seconds: [0, 0] },
    { name: SIGTERM, everySeconds: 4, seconds: [0, 0] },
    { name: SIGSTOP, everySeconds: 6, seconds: [0.1 * visibilityTimeout, 2 * visibilityTimeout] },
    { name: CLOCK_JUMP, everySeconds: 15, seconds: [0, 0] },
  ];
}

/** How far ahead the clock is after each jump: most jumps go forward by up to a minute, some back by up to two seconds. */
export function jumpsOf(plan: readonly Fault[], startedAt: number): ClockJump[] {
  let aheadMs = 0;
  return plan
    .filter(({ kind }) => kind === CLOCK_JUMP)
    .map(({ at, chance }) => {
      const random = seeded(chance * 2 ** 32);
      aheadMs += chance < 0.3 ? between(-2_000, 0, random) : between(0, 60_000, random);
      return { at: startedAt + at, aheadMs };
    });
}

export interface Scene {
  readonly fleet: Fleet;
  readonly broker: FaultyBroker;
  readonly history: History;
  /** Stops the faults early when it resolves. */
  readonly until: Promise<unknown>;
}

/** Injects the faults as planned, for this many seconds; then undoes all of them. */
export async function injectFaults(plan: readonly Fault[], seconds: number, scene: Scene): Promise<void> {
  const { fleet, broker, history, until } = scene;
  const timers = plan.flatMap((fault) =>
    stepsOf(fault, scene).map(([at, step]) => setTimeout(() => void step(), at)),
  );
  const time = Promise.withResolvers<void>();
  timers.push(setTimeout(time.resolve, seconds * 1000));
  await Promise.race([time.promise, until]);
  for (const timer of timers) clearTimeout(timer);
  for (let index = 0; index < fleet.size; index += 1) fleet.cont(index);
  for (const fault of broker.faults) end(fault, history);
}

/**
 * Drains a process this many times, each time shortly after it handles its first message. One time in ten, the signal comes
 * shortly after the start instead, possibly before the process listens for it; a process killed this way does not count.
 */
export async function drainRepeatedly(
  times: number,
  random: Random,
  scene: Scene & { readonly ledger: string },
) {
  const { fleet, until, ledger } = scene;
  let isRunning = true;
  void until.then(() => {
    isRunning = false;
  });
  while (fleet.drains < times && isRunning) {
    while (!fleet.isUp(0)) await sleep(5);
    const before = sizeOf(ledger);
    if (random() < 0.9) while (sizeOf(ledger) === before && fleet.isUp(0) && isRunning) await sleep(5);
    await sleep(between(0, 400, random));
    fleet.end(0, SIGTERM);
    await fleet.ended(0);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

type Step = readonly [at: number, step: () => unknown];

function stepsOf({ kind, at, milliseconds, chance }: Fault, { fleet, broker, history }: Scene): Step[] {
  const index = Math.floor(chance * fleet.size);
  const over = at + milliseconds;
  switch (kind) {
    case SIGKILL:
    case SIGTERM:
      return [[at, () => fleet.end(index, kind)]];
    case SIGSTOP:
      return [
        [at, () => fleet.stop(index)],
        [over, () => fleet.cont(index)],
      ];
    case CLOCK_JUMP:
      return [[at, () => history.clockJumped(kind, history.startedAt + at, broker.sharedClock)]];
  }
  const fault = broker.faults.find(({ name }) => name === kind)!;
  const begins: Step = [at, () => begin(fault, chance, history)];
  return fault.end ? [begins, [over, () => end(fault, history)]] : [begins];
}

async function begin(fault: BrokerFault, chance: number, history: History): Promise<void> {
  history.begin(fault.name);
  try {
    await fault.begin(chance);
  } catch (error) {
    history.note(`${fault.name} failed to start: ${(error as Error).message}`);
  }
  if (!fault.end) history.end(fault.name);
}

function end(fault: BrokerFault, history: History): void {
  void fault.end?.();
  history.end(fault.name);
}
