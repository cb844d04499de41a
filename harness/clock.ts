/** Time in benchmarks and chaos runs. */

/** Milliseconds since the machine started: the same in all processes, and never jumps. */
export function elapsed(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Resolves after this many milliseconds, of the fake clock if a simulation installed one. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
