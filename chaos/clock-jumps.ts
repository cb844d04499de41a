/**
 * Makes the wall clock jump in a chaos run: containers import this file first (`node --import`), and `Date` jumps at the
 * times in CHAOS_CLOCK, in all processes at once, as if someone set the machine's clock. Chaos itself measures with
 * `elapsed`, which never jumps.
 */
import { elapsed } from '../harness/clock.ts';

/** From this time on, the wall clock is this far ahead of the true time. */
export interface ClockJump {
  /** In milliseconds of `elapsed`. */
  readonly at: number;
  /** In milliseconds; negative if the clock is behind. */
  readonly aheadMs: number;
}

/**
 * How far the clock is ahead; `jumps` are in chronological order:
 *
 *     aheadAt([{ at: 10, aheadMs: 5 }, { at: 20, aheadMs: -1 }], 15) // 5
 */
export function aheadAt(jumps: readonly ClockJump[], at: number): number {
  return jumps.findLast((jump) => jump.at <= at)?.aheadMs ?? 0;
}

/** Makes `Date` follow the jumps in this process; returns a function that undoes it. */
export function bendClock(jumps: readonly ClockJump[]): () => void {
  const TrueDate = globalThis.Date;
  const now = () => Math.round(TrueDate.now() + aheadAt(jumps, elapsed()));
  globalThis.Date = new Proxy(TrueDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    apply: () => new TrueDate(now()).toString(),
    get: (target, name, receiver) =>
      name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown),
  });
  return () => {
    globalThis.Date = TrueDate;
  };
}

const { CHAOS_CLOCK } = process.env;
if (CHAOS_CLOCK) bendClock(JSON.parse(CHAOS_CLOCK) as ClockJump[]);
