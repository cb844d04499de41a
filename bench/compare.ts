/** Compares the candidates that handle messages: each trial in a process of its own, and the median of each number. */
import { join } from 'node:path';
import { type CandidateName, candidates } from './candidates.ts';
import { inRounds, median } from './measure.ts';
import { inOwnProcess } from './own-process.ts';
import { printTable } from './report.ts';
import type { Measured, Trial } from './trial.ts';

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

/** Prints a row for each candidate; `columns` has what stands in each column, by its head. */
export function printComparison(
  title: string,
  measured: Readonly<Partial<Record<CandidateName, Measured>>>,
  columns: Readonly<Record<string, (measured: Measured) => string>>,
): void {
  const names = Object.keys(measured) as CandidateName[];
  printTable(
    title,
    ['', ...Object.keys(columns)],
    names.map((name) => [
      candidates[name].title,
      ...Object.values(columns).map((cell) => cell(measured[name]!)),
    ]),
  );
}

function medianOfEach(trials: readonly Measured[]): Measured {
  return {
    messagesPerSecond: median(trials.map(({ messagesPerSecond }) => messagesPerSecond)),
    callsPerMessage: median(trials.map(({ callsPerMessage }) => callsPerMessage)),
    cpuPerMessage: median(trials.map(({ cpuPerMessage }) => cpuPerMessage)),
  };
}
