/** Which faults come when: a pure function of the seed. */
import { between, exponential, seeded, seedOf } from '../harness/random.ts';

/** A kind of fault. */
export interface FaultKind {
  /** For people, and what the seed of its times is made with: `SIGKILL`, `answers 500`. */
  readonly name: string;
  /** How long it is on average from the end of one to the next, in seconds. */
  readonly everySeconds: number;
  /** How long one lasts, in seconds; [0, 0]: it has no duration. */
  readonly seconds: readonly [least: number, most: number];
}

export interface Fault {
  readonly kind: string;
  /** Milliseconds from the start of the run. */
  readonly at: number;
  readonly milliseconds: number;
  /** From 0 to below 1: what else is left to chance, such as which container it hits, or what share of requests. */
  readonly chance: number;
}

/**
 * The faults of a run of so many seconds, in the order of their time. Each kind comes at times of its own, one after the
 * other, so that the others stay the same when one is added.
 */
export function planFaults(seed: number, seconds: number, kinds: readonly FaultKind[]): Fault[] {
  return kinds.flatMap((kind) => timesOf(kind, seed, seconds * 1000)).sort((one, other) => one.at - other.at);
}

function timesOf({ name, everySeconds, seconds }: FaultKind, seed: number, endsAt: number): Fault[] {
  const random = seeded(seed ^ seedOf(name));
  const faults: Fault[] = [];
  let at = exponential(everySeconds * 1000, random);
  while (at < endsAt) {
    const milliseconds = between(seconds[0], seconds[1], random) * 1000;
    faults.push({ kind: name, at, milliseconds, chance: random() });
    at += milliseconds + exponential(everySeconds * 1000, random);
  }
  return faults;
}
