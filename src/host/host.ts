/**
 * The seam to the outside world. The run loop, the supervisor and the embedded brokers get the clock, timers and random
 * values from here, never from globals, so that a simulation can run several of them in virtual time.
 */
import { randomUUID } from 'node:crypto';
import type { Broker } from '../brokers/broker.ts';

/** A timer. Only the machine that set it can clear it. */
export type Timer = object;

/** What code needs from the machine that it runs on. */
export interface Machine {
  /** A monotonic clock, in milliseconds from an arbitrary moment. For durations. */
  now(): number;
  /** The time of day, in milliseconds since the epoch. For values that other processes read. */
  wallClock(): number;
  setTimeout(callback: () => void, milliseconds: number): Timer;
  /** Also accepts undefined, like the global. */
  clearTimeout(timer: Timer | undefined): void;
  setInterval(callback: () => void, milliseconds: number): Timer;
  clearInterval(timer: Timer | undefined): void;
  /** Calls back after pending I/O has been processed. */
  nextTurn(callback: () => void): void;
  /** A random number from 0 to below 1. */
  random(): number;
  /** A new random UUID (version 4). */
  uuid(): string;
}

/** The machine and the broker that has the queues. */
export interface Host extends Machine {
  readonly broker: Pick<Broker, 'open'>;
}

/** The real setImmediate, captured before a spec can fake it. */
const realSetImmediate = globalThis.setImmediate;

/** The real machine. It looks up the globals at each call, so that a spec's fake clock works. */
export const realMachine: Machine = {
  now: () => performance.now(),
  wallClock: () => Date.now(),
  setTimeout: (callback, milliseconds) => setTimeout(callback, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  setInterval: (callback, milliseconds) => setInterval(callback, milliseconds),
  clearInterval: (timer) => clearInterval(timer as NodeJS.Timeout | undefined),
  nextTurn: (callback) => {
    // Under a fake clock we never yield to I/O: a faked setImmediate might never fire.
    if (globalThis.setImmediate === realSetImmediate) realSetImmediate(callback);
    else void Promise.resolve().then(callback);
  },
  random: () => Math.random(),
  uuid: () => randomUUID(),
};

/** The real machine with this broker. */
export function realHost(broker: Host['broker']): Host {
  return { ...realMachine, broker };
}

/**
 * True if the promise fulfills within this many milliseconds; false if it takes longer. Rejections pass through.
 *
 *     await resolvesWithin(machine, slots, 30_000)    // false: a worker is still running after 30 s
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

/** Resolves when the signal aborts; immediately if it already has. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
