/** Plans the times of faults: a pure function of the seed. */
import { between, exponential, seeded, seedOf } from '../harness/random.ts';

/** A kind of fault. */
export interface FaultKind {
  /** Such as `SIGKILL`. Shown in reports, and part of the seed of its times. */
  readonly name: string;
  /** The mean time from the end of a fault to the next, in seconds. */
  readonly everySeconds: number;
  /** How long a fault lasts, in seconds; [0, 0]: no duration. */
  readonly seconds: readonly [least: number, most: number];
}

export interface Fault {
  readonly kind: string;
  /** In milliseconds from the start of the run. */
  readonly at: number;
  readonly milliseconds: number;
  /** A random number of at least 0 and below 1, for other decisions: which container, what share of requests. */
  readonly chance: number;
}

/**
 * The faults of a run of this many seconds, in chronological order. Each kind is planned independently, without overlap, so
 * that adding a kind does not change the others.
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
