/** Many messages at once, and then none: do all containers get their share, or do some hoard while others are idle? */
import type { ContainerSettings } from './fleet.ts';
import { type Handling, percentile, Simulation } from './simulation.ts';

export interface BurstSetup extends Handling {
  readonly containers: number;
  readonly settings: ContainerSettings;
  readonly messages: number;
}

export interface Burst {
  /** Until the worker's start, in milliseconds: of half, and of 99 of 100 messages at most. */
  readonly medianWaitMs: number;
  readonly slowWaitMs: number;
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
  await simulation.startContainers(containers, settings);
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
    medianWaitMs: percentile(simulation.waits, 0.5),
    slowWaitMs: percentile(simulation.waits, 0.99),
    seconds,
    mostWaiting: Math.max(...simulation.containers.map(({ mostWaiting }) => mostWaiting)),
  };
}

function averageMs({ handlingMs, slowOneOf = Number.POSITIVE_INFINITY, slowMs = 0 }: Handling): number {
  return handlingMs + (slowMs - handlingMs) / slowOneOf;
}
