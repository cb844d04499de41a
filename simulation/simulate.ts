/** Runs worlds from consecutive seeds until one fails, and makes a failing world small enough for a person to read. */
import { INVARIANTS, type Invariant, type Violation } from './invariants.ts';
import { isKnown, KNOWN_FAULTS } from './known-faults.ts';
import { type Plan, planOf } from './plan.ts';
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

/** How many smaller worlds to try, at most: some seconds. */
const MOST_TRIES = 1_000;

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
export async function replay(seed: number, onViolation?: () => void) {
  const whole = planOf(seed);
  const failed = (await runWorld(whole, isKnown)).violation ?? (await runWorld(whole, () => false)).violation;
  if (!failed) return undefined;
  const plan = await shrink(whole, failed.invariant);
  const { violation, timeline } = await runWorld(plan, (other) => other !== failed.invariant, onViolation);
  return { plan, violation: violation!, timeline };
}

/**
 * The smallest plan found in which this invariant fails, too: leaves out faults, messages, redrives and containers, and
 * simplifies what is left.
 */
export async function shrink(plan: Plan, invariant: Invariant): Promise<Plan> {
  let smallest = plan;
  let tries = 0;
  /** Keeps a smaller plan if it fails in the same way. */
  const accepts = async (change: Partial<Plan>): Promise<boolean> => {
    const smaller = { ...smallest, ...change };
    if (tries === MOST_TRIES || smaller.containers.length === 0) return false;
    tries += 1;
    const { violation } = await runWorld(smaller, (other) => other !== invariant);
    if (violation?.invariant !== invariant) return false;
    smallest = smaller;
    return true;
  };
  for (let before: Plan | undefined; before !== smallest; ) {
    before = smallest;
    for (const list of ['faults', 'messages', 'redrives', 'containers'] as const) {
      // Halves, then quarters, down to single items.
      for (let size = smallest[list].length; size >= 1; size >>= 1) {
        for (let start = 0; start < smallest[list].length; ) {
          if (!(await accepts({ [list]: smallest[list].toSpliced(start, size) }))) start += size;
        }
      }
    }
    for (const [index, container] of smallest.containers.entries()) {
      if (container.processes === 1 && container.startsAt === 0) continue;
      await accepts({
        containers: smallest.containers.with(index, { ...container, processes: 1, startsAt: 0 }),
      });
    }
    for (const [index, message] of smallest.messages.entries()) {
      if (message.attempts.length === 0) continue;
      const attempts = message.attempts.slice(0, -1);
      await accepts({ messages: smallest.messages.with(index, { ...message, attempts }) });
    }
  }
  return smallest;
}
