/**
 * The scenarios of the simulation: a steady load, a burst, a deploy, an outage. Each function runs in its own process,
 * because it fakes the clock.
 */
import { type Handling, Simulation, type SimulationSetup, type WaitTimes } from './simulation.ts';

export interface SteadySetup extends SimulationSetup {
  readonly messagesPerSecond: number;
  /** How long to measure, after a warm-up of the same length. */
  readonly seconds: number;
}

export interface Steady extends WaitTimes {
  readonly requestsPerMessage: number;
  readonly requestsPerSecond: number;
  /** The maximum number of messages that a container held ready in addition to those running. */
  readonly mostWaiting: number;
  /** The messages of the busiest container, as a multiple of the average. */
  readonly busiest: number;
}

/** A steady stream of messages: its cost, how long messages wait, and how they are shared. */
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
  /** The time until the last message was handled. */
  readonly seconds: number;
  /** The maximum number of messages that a container held ready in addition to those running. */
  readonly mostWaiting: number;
}

/** How many messages each slot handles before the burst, so that the containers know how long a message takes. */
const BEFORE = 30;
/** How busy the slots are before the burst. */
const SHARE_BEFORE = 0.5;

/** Many messages at once, then none: do all containers get their share, or do some hoard while others are idle? */
export async function burst(setup: BurstSetup): Promise<Burst> {
  const { containers, settings, messages } = setup;
  const simulation = await Simulation.start(setup);
  const perSlot = (SHARE_BEFORE * 1000) / averageMs(setup);
  simulation.startSending(containers * settings.concurrency * perSlot);
  await simulation.seconds(BEFORE / perSlot);
  simulation.stopSending();
  await simulation.untilDone();
  // By then, all requests in progress have returned.
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
  /** How the old containers end: `stop` is SIGTERM, `kill` is SIGKILL. */
  readonly end: 'stop' | 'kill';
}

export interface Deploy extends WaitTimes {
  /** Messages that a worker received again. */
  readonly repeated: number;
  readonly longestWaitMs: number;
  /** Messages that were never handled. */
  readonly lost: number;
}

/** The share of containers replaced at once, and how often. */
const STEP_SHARE = 0.1;
const STEP_SECONDS = 5;

/** New containers replace old ones while messages arrive: which messages wait, and which run twice? */
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
  /** How long the broker is down. */
  readonly seconds: number;
}

export interface Outage {
  /** Requests per second of one container, in the second half of the outage. */
  readonly requestsDuring: number;
  /** The maximum total requests in any 100 ms of the first ten seconds after the outage, per container. */
  readonly peakAfter: number;
  /** The time until 99 % of the containers poll again, in seconds. */
  readonly secondsUntilBack: number;
}

/** The broker is down for a while: how often do the containers try, and how soon are they back? */
export async function outage({ containers, settings, seconds }: OutageSetup): Promise<Outage> {
  const simulation = await Simulation.start({ containers, settings, handlingMs: 1000 });
  simulation.network.isDown = true;
  // Long polls in progress return; the next ones fail.
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
