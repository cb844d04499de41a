/** A steady stream of messages for a number of containers: what it costs, how long messages wait, who gets them. */
import type { ContainerSettings } from './fleet.ts';
import { type Handling, percentile, Simulation } from './simulation.ts';

export interface SteadySetup extends Handling {
  readonly containers: number;
  readonly settings: ContainerSettings;
  readonly messagesPerSecond: number;
  /** How long it is measured, after as long for warming up. */
  readonly seconds: number;
}

export interface Steady {
  readonly requestsPerMessage: number;
  readonly requestsPerSecond: number;
  /** From sending to the worker's start, in milliseconds: of half, and of 99 of 100 messages at most. */
  readonly medianWaitMs: number;
  readonly slowWaitMs: number;
  /** The most messages that one container held ready beside those that ran. */
  readonly mostWaiting: number;
  /** How much the busiest container handled, as a multiple of the average. */
  readonly busiest: number;
}

/** Runs in a process of its own, because its clock is a fake one. */
export async function steady(setup: SteadySetup): Promise<Steady> {
  const { containers, settings, messagesPerSecond, seconds } = setup;
  const simulation = await Simulation.start(setup);
  await simulation.startContainers(containers, settings);
  simulation.startSending(messagesPerSecond);
  await simulation.seconds(seconds);
  simulation.requests = simulation.handled = 0;
  simulation.waits = [];
  for (const container of simulation.containers) container.handled = 0;
  await simulation.seconds(seconds);
  const { requests, handled, waits } = simulation;
  const each = simulation.containers.map((container) => container.handled);
  return {
    requestsPerMessage: requests / handled,
    requestsPerSecond: requests / seconds,
    medianWaitMs: percentile(waits, 0.5),
    slowWaitMs: percentile(waits, 0.99),
    mostWaiting: Math.max(...simulation.containers.map(({ mostWaiting }) => mostWaiting)),
    busiest: (Math.max(...each) * containers) / handled,
  };
}
