/** Time in the benches and in chaos. */

/** Milliseconds since the machine was started: the same in all its processes, and it never jumps. */
export function elapsed(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Resolves after this many milliseconds; of a faked clock if a simulation has faked it. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
