// How many inputs the specs of this folder try, and what must be true after each: FUZZ_RUNS=100000 for a long run.
import { expect } from 'chai';
import type { Parameters } from 'fast-check';

/** What fast-check is told. A seed of a failing run goes into FUZZ_SEED. */
export const RUNS: Parameters<unknown> & { readonly numRuns: number } = {
  numRuns: Number(process.env.FUZZ_RUNS ?? 300),
  ...(process.env.FUZZ_SEED !== undefined && { seed: Number(process.env.FUZZ_SEED) }),
};

/** For a spec: a hang must not last for ever. */
export const TIMEOUT_MS = 20_000 + RUNS.numRuns * 20;

/** Of processor time, which others on the machine do not use up: short beside what is quadratic. */
const SLOWEST_MS = 2_000;

const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype];
const names = prototypes.map((prototype) => Reflect.ownKeys(prototype).length);

/** Runs something that must be quick and must leave what all objects share as it is. Only `allowed` errors may come of it. */
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
