/** Many messages at once, and then none: do all containers get their share, or do some hoard while others are idle? */
import { type Handling, Simulation, type SimulationSetup, type WaitTimes } from './simulation.ts';

export interface BurstSetup extends SimulationSetup {
  readonly messages: number;
}

export interface Burst extends WaitTimes {
  /** Until the last message was handled. */
  readonly seconds: number;
  /** The most messages that one container held ready beside those that ran. */
  readonly mostWaiting: number;
}

/** How many messages each slot has handled when the burst comes: the containers know how long one takes. */
const BEFORE = 30;
/** How busy the slots are until then. */
const SHARE_BEFORE = 0.5;

/** Runs in a process of its own, because its clock is a fake one. */
export async function burst(setup: BurstSetup): Promise<Burst> {
  const { containers, settings, messages } = setup;
  const simulation = await Simulation.start(setup);
  const perSlot = (SHARE_BEFORE * 1000) / averageMs(setup);
  simulation.startSending(containers * settings.slots * perSlot);
  await simulation.seconds(BEFORE / perSlot);
  simulation.stopSending();
  await simulation.untilDone();
  // Whatever requests are under way have been answered.
  await simulation.seconds(1);
  simulation.waits = [];
  for (const container of simulation.containers) container.mostWaiting = 0;
  await simulation.send(messages);
  const seconds = await simulation.untilDone();
  return {
    ...simulation.waitTimes,
    seconds,
    mostWaiting: Math.max(...simulation.containers.map(({ mostWaiting }) => mostWaiting)),
  };
}

function averageMs({ handlingMs, slowOneOf = Number.POSITIVE_INFINITY, slowMs = 0 }: Handling): number {
  return handlingMs + (slowMs - handlingMs) / slowOneOf;
}
