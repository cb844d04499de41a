/**
 * Compares candidates: each trial in a process of its own, the candidates in turn and in several rounds, so that what
 * else the machine does meets all of them; the median of each number counts.
 */
import { join } from 'node:path';
import type { CandidateName } from './candidates.ts';
import { inOwnProcess } from './own-process.ts';
import type { Measured, Trial } from './trial.ts';

export const ROUNDS = 3;

/** The medians of each candidate. */
export async function compare<Name extends CandidateName>(
  names: readonly Name[],
  setup: Omit<Trial, 'candidate'>,
): Promise<Record<Name, Measured>> {
  const trials = await inRounds(names, (candidate) =>
    inOwnProcess<Measured>(join(import.meta.dirname, 'trial.ts'), 'trial', { ...setup, candidate }),
  );
  const medians = names.map((name) => [name, medianOfEach(trials.get(name) ?? [])]);
  return Object.fromEntries(medians) as Record<Name, Measured>;
}

/** The results of each candidate, round after round. */
export async function inRounds<Name, Result>(
  names: readonly Name[],
  measure: (name: Name) => Promise<Result>,
): Promise<Map<Name, Result[]>> {
  const results = new Map<Name, Result[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const name of names) results.get(name)?.push(await measure(name));
  }
  return results;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function medianOfEach(trials: readonly Measured[]): Measured {
  return {
    messagesPerSecond: median(trials.map(({ messagesPerSecond }) => messagesPerSecond)),
    callsPerMessage: median(trials.map(({ callsPerMessage }) => callsPerMessage)),
    cpuPerMessage: median(trials.map(({ cpuPerMessage }) => cpuPerMessage)),
  };
}
