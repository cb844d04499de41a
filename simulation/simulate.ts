/** Runs worlds from consecutive seeds, and describes the first that fails. */

import { isKnown, KNOWN_FAULTS } from './known-faults.ts';
import { INVARIANTS, type Invariant, type Violation } from './ledger.ts';
import { type Plan, planOf } from './plan.ts';
import { shrink } from './shrink.ts';
import { runWorld } from './world.ts';

export interface Simulated {
  readonly worlds: number;
  readonly messages: number;
  readonly faults: number;
  /** The seeds in which each known fault was seen. */
  readonly known: ReadonlyMap<Invariant, readonly number[]>;
  /** The seed that failed; then no more worlds were run. */
  readonly failed: { readonly seed: number; readonly violation: Violation } | undefined;
}

/** Runs worlds while `goesOn`, given how many there were. */
export async function simulate(seed: number, goesOn: (worlds: number) => boolean): Promise<Simulated> {
  const known = new Map<Invariant, number[]>();
  const sums = { worlds: 0, messages: 0, faults: 0 };
  let failed: Simulated['failed'];
  while (!failed && goesOn(sums.worlds)) {
    const current = seed + sums.worlds;
    const plan = planOf(current);
    const result = await runWorld(plan, isKnown);
    sums.worlds += 1;
    sums.messages += plan.messages.length;
    sums.faults += plan.faults.length;
    for (const invariant of result.known) known.set(invariant, [...(known.get(invariant) ?? []), current]);
    if (result.violation) failed = { seed: current, violation: result.violation };
  }
  return { ...sums, known, failed };
}

/** What was run, and which known faults were seen, for people. */
export function describe({ worlds, messages, faults, known, failed }: Simulated, seed: number): string[] {
  const number = (count: number) => count.toLocaleString('en-US');
  return [
    `${number(worlds)} worlds from seed ${seed}: ${number(messages)} messages, ${number(faults)} faults`,
    ...[...known].map(
      ([invariant, seeds]) =>
        `Known fault in ${number(seeds.length)} worlds, first in ${seeds[0]}: ${KNOWN_FAULTS[invariant]}`,
    ),
    ...(failed ? [`FAILED in seed ${failed.seed}: ${INVARIANTS[failed.violation.invariant]}.`] : []),
  ];
}

/**
 * Runs the world of a seed again, makes it as small as possible, and returns the small world and its timeline; undefined
 * if nothing fails in it, not even a known fault. `onViolation` is called in the small world, when the invariant fails.
 */
export async function replay(
  seed: number,
  onViolation?: () => void,
): Promise<
  { readonly plan: Plan; readonly violation: Violation; readonly timeline: readonly string[] } | undefined
> {
  const whole = planOf(seed);
  const invariant = (await runWorld(whole, isKnown)).violation?.invariant ?? (await firstFault(whole));
  if (!invariant) return undefined;
  const plan = await shrink(whole, invariant);
  const isOther = (other: Invariant) => other !== invariant;
  const { violation, timeline } = await runWorld(plan, isOther, onViolation);
  return { plan, violation: violation!, timeline };
}

/** Including the known ones. */
async function firstFault(plan: Plan): Promise<Invariant | undefined> {
  return (await runWorld(plan, () => false)).violation?.invariant;
}
