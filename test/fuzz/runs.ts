// How many inputs the specs in this folder try, and what must be true after each. FUZZ_RUNS=100000 makes a long run.
import { expect } from 'chai';
import type { Parameters } from 'fast-check';

/** Parameters for fast-check. To repeat a failed run, put its seed into FUZZ_SEED. */
export const RUNS: Parameters<unknown> & { readonly numRuns: number } = {
  numRuns: Number(process.env.FUZZ_RUNS ?? 300),
  ...(process.env.FUZZ_SEED !== undefined && { seed: Number(process.env.FUZZ_SEED) }),
};

/** The time limit of a spec, so that a hang does not last forever. */
export const TIMEOUT_MS = 20_000 + RUNS.numRuns * 20;

/** In CPU time, which other processes do not affect. Quadratic algorithms take much longer. */
const SLOWEST_MS = 2_000;

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype];
const names = prototypes.map((prototype) => Reflect.ownKeys(prototype).length);

/** Runs an action that must be quick, must not change built-in prototypes, and may throw only `allowed` errors. */
export function survives(action: () => void, ...allowed: (new (...args: never[]) => Error)[]): void {
  const before = process.threadCpuUsage();
  try {
    action();
  } catch (error) {
    if (!allowed.some((kind) => error instanceof kind)) throw error;
    expect((error as Error).message).not.to.equal('');
  }
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1000, 'milliseconds').to.be.below(SLOWEST_MS);
  expect(prototypes.map((prototype) => Reflect.ownKeys(prototype).length)).to.deep.equal(names);
}
