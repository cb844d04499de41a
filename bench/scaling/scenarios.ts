/**
 * What containers are put through in a simulation: a steady load, a burst, a deploy, an outage. Each function runs in a
 * process of its own, because its clock is a fake one.
 */
import { type Handling, Simulation, type SimulationSetup, type WaitTimes } from './simulation.ts';

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

/** A steady stream of messages: what it costs, how long messages wait, who gets them. */
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

/** Many messages at once, and then none: do all containers get their share, or do some hoard while others are idle? */
export async function burst(setup: BurstSetup): Promise<Burst> {
  const { containers, settings, messages } = setup;
  const simulation = await Simulation.start(setup);
  const perSlot = (SHARE_BEFORE * 1000) / averageMs(setup);
  simulation.startSending(containers * settings.concurrency * perSlot);
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

/** New containers replace old ones while messages come: which messages wait, and which run twice? */
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

/** The broker is down for a while: how often do the containers try, and how soon are they back? */
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
