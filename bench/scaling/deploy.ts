/** New containers take the place of old ones while messages come: who waits, and what runs twice? */
import { Simulation, type SimulationSetup, type WaitTimes } from './simulation.ts';

export interface DeploySetup extends SimulationSetup {
  readonly messagesPerSecond: number;
  /** How the old ones end: `stop` is SIGTERM, `kill` is SIGKILL. */
  readonly end: 'stop' | 'kill';
}

export interface Deploy extends WaitTimes {
  /** Messages that a worker got once more. */
  readonly repeated: number;
  readonly longestWaitMs: number;
  /** Messages that nobody had handled at the end. */
  readonly lost: number;
}

/** How many are replaced at once, and how often. */
const STEP_SHARE = 0.1;
const STEP_SECONDS = 5;

/** Runs in a process of its own, because its clock is a fake one. */
export async function deploy(setup: DeploySetup): Promise<Deploy> {
  const { containers, messagesPerSecond, handlingMs, end } = setup;
  const simulation = await Simulation.start(setup);
  simulation.startSending(messagesPerSecond);
  await simulation.seconds((10 * handlingMs) / 1000);
  simulation.waits = [];
  const old = [...simulation.containers];
  while (old.length > 0) {
    for (const container of old.splice(0, containers * STEP_SHARE)) {
      simulation.startContainer();
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
    ...simulation.waitTimes,
    longestWaitMs: Math.max(...waits),
    lost: unfinished,
  };
}
