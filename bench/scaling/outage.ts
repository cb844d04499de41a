/** The broker is away for a while: how hard do the containers knock, and how soon are they back? */
import { Simulation, type SimulationSetup } from './simulation.ts';

export interface OutageSetup extends Omit<SimulationSetup, 'handlingMs'> {
  /** How long the broker is away. */
  readonly seconds: number;
}

export interface Outage {
  /** Requests a second of one container, in the last half of the outage. */
  readonly requestsDuring: number;
  /** The most requests of all within 100 ms of the first ten seconds after it, as a share of the containers. */
  readonly peakAfter: number;
  /** Until 99 of 100 containers poll again, in seconds. */
  readonly secondsUntilBack: number;
}

/** Runs in a process of its own, because its clock is a fake one. */
export async function outage({ containers, settings, seconds }: OutageSetup): Promise<Outage> {
  const simulation = await Simulation.start({ containers, settings, handlingMs: 1000 });
  simulation.network.isDown = true;
  // The long polls under way end, and the next ones fail.
  await simulation.seconds(seconds / 2);
  simulation.requests = 0;
  await simulation.seconds(seconds / 2);
  const requestsDuring = simulation.requests / (seconds / 2) / containers;
  simulation.network.isDown = false;
  const perTenth: number[] = [];
  for (let tenth = 0; tenth < 100; tenth += 1) {
    simulation.requests = 0;
    await simulation.seconds(0.1);
    perTenth.push(simulation.requests);
  }
  let back = 0;
  const tenths = perTenth.findIndex((requests) => {
    back += requests;
    return back >= 0.99 * containers;
  });
  return {
    requestsDuring,
    peakAfter: Math.max(...perTenth) / containers,
    secondsUntilBack: (tenths + 1) / 10,
  };
}
