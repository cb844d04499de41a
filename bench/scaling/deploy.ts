/** New containers take the place of old ones while messages come: who waits, and what runs twice? */
import type { ContainerSettings } from './fleet.ts';
import { type Handling, percentile, Simulation } from './simulation.ts';

export interface DeploySetup extends Handling {
  readonly containers: number;
  readonly settings: ContainerSettings;
  readonly messagesPerSecond: number;
  /** How the old ones end: `stop` is SIGTERM, `kill` is SIGKILL. */
  readonly end: 'stop' | 'kill';
}

export interface Deploy {
  /** Messages that a worker got once more. */
  readonly repeated: number;
  /** From sending until the worker began that handled it, in milliseconds: of half, and of 99 of 100 messages at most. */
  readonly medianWaitMs: number;
  readonly slowWaitMs: number;
  readonly longestWaitMs: number;
  /** Messages that nobody had handled at the end. */
  readonly lost: number;
}

/** How many are replaced at once, and how often. */
const STEP_SHARE = 0.1;
const STEP_SECONDS = 5;

/** Runs in a process of its own, because its clock is a fake one. */
export async function deploy(setup: DeploySetup): Promise<Deploy> {
  const { containers, settings, messagesPerSecond, handlingMs, end } = setup;
  const simulation = await Simulation.start(setup);
  await simulation.startContainers(containers, settings);
  simulation.startSending(messagesPerSecond);
  await simulation.seconds((10 * handlingMs) / 1000);
  simulation.waits = [];
  const old = [...simulation.containers];
  while (old.length > 0) {
    for (const container of old.splice(0, containers * STEP_SHARE)) {
      simulation.startContainer(settings);
      if (end === 'stop') void container.stop();
      else container.kill();
    }
    await simulation.seconds(STEP_SECONDS);
  }
  simulation.stopSending();
  await simulation.untilDone();
  const { repeated, waits, unfinished } = simulation;
  return {
    repeated,
    medianWaitMs: percentile(waits, 0.5),
    slowWaitMs: percentile(waits, 0.99),
    longestWaitMs: Math.max(...waits),
    lost: unfinished,
  };
}
