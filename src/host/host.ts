/**
 * The run loop's seam to the world. Whatever decides when something happens takes the clock, timers, random numbers and
 * the broker from here and never from a global, so that a simulation can run several consumers in virtual time.
 */
import type { Broker } from '../brokers/broker.ts';

/** A timer that was set; only the machine that set it can clear it. */
export type Timer = object;

/** What the run loop and the supervisor take from the machine that they run on. */
export interface Machine {
  /** A clock that never goes back: milliseconds from some moment. For durations. */
  now(): number;
  /** The time of day: milliseconds since the epoch. For what other processes read. */
  wallClock(): number;
  setTimeout(callback: () => void, milliseconds: number): Timer;
  /** Takes undefined, too, as the global does. */
  clearTimeout(timer: Timer | undefined): void;
  setInterval(callback: () => void, milliseconds: number): Timer;
  clearInterval(timer: Timer | undefined): void;
  /** Calls back once pending I/O has had its turn. */
  nextTurn(callback: () => void): void;
  /** A random number from 0 up to 1. */
  random(): number;
}

/** The machine, and where the queues live. */
export interface Host extends Machine {
  readonly broker: Pick<Broker, 'open'>;
}

/** The real setImmediate, captured before a spec can fake it. */
const realSetImmediate = globalThis.setImmediate;

/** This machine. It looks the globals up at each call, so that the fake clock of a spec works. */
export const realMachine: Machine = {
  now: () => performance.now(),
  wallClock: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  setInterval: (callback, milliseconds) => setInterval(callback, milliseconds),
  clearInterval: (timer) => clearInterval(timer as NodeJS.Timeout | undefined),
  nextTurn: (callback) => {
    // Under a fake clock nothing waits for I/O, and a faked turn might never come.
    if (globalThis.setImmediate === realSetImmediate) realSetImmediate(callback);
    else void Promise.resolve().then(callback);
  },
  random: () => Math.random(),
};

/** This machine, and a broker. */
export function realHost(broker: Host['broker']): Host {
  return { ...realMachine, broker };
}

/**
 * True if the promise fulfills within so many milliseconds; false if it takes longer. Rejections pass through.
 *
 *     await resolvesWithin(machine, slots, 30_000)    // false: some worker still runs after 30 s
 */
export async function resolvesWithin(
  machine: Machine,
  promise: Promise<unknown>,
  milliseconds: number,
): Promise<boolean> {
  let timer: Timer | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = machine.setTimeout(() => resolve(false), Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([promise.then(() => true), timeout]);
  } finally {
    machine.clearTimeout(timer);
  }
}

/** Resolves when the signal aborts, at once if it has. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
