/** A steady stream of messages for a number of containers: what it costs, how long messages wait, who gets them. */
import { Simulation, type SimulationSetup, type WaitTimes } from './simulation.ts';

export interface SteadySetup extends SimulationSetup {
  readonly messagesPerSecond: number;
  /** How long it is measured, after as long for warming up. */
  readonly seconds: number;
}

export interface Steady extends WaitTimes {
  readonly requestsPerMessage: number;
  readonly requestsPerSecond: number;
  /** The most messages that one container held ready beside those that ran. */
  readonly mostWaiting: number;
  /** How much the busiest container handled, as a multiple of the average. */
  readonly busiest: number;
}

/** Runs in a process of its own, because its clock is a fake one. */
export async function steady(setup: SteadySetup): Promise<Steady> {
  const { containers, messagesPerSecond, seconds } = setup;
  const simulation = await Simulation.start(setup);
  simulation.startSending(messagesPerSecond);
  await simulation.seconds(seconds);
  simulation.requests = simulation.handled = 0;
  simulation.waits = [];
  for (const container of simulation.containers) container.handled = 0;
  await simulation.seconds(seconds);
  const { requests, handled } = simulation;
  const each = simulation.containers.map((container) => container.handled);
  return {
    requestsPerMessage: requests / handled,
    requestsPerSecond: requests / seconds,
    ...simulation.waitTimes,
    mostWaiting: Math.max(...simulation.containers.map(({ mostWaiting }) => mostWaiting)),
    busiest: (Math.max(...each) * containers) / handled,
  };
}
