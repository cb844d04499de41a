/** Where the queues of a run are, and what can go wrong there. */
import type { FaultKind } from '../plan.ts';

/** A fault of the place: `begin` makes it so, and `end` undoes it. */
export interface PlaceFault extends FaultKind {
  /** `chance`, from 0 to below 1, is the fault's own. */
  begin(chance: number): void | Promise<void>;
  end?(): void | Promise<void>;
}

export interface Place {
  /** The address of the broker for containers and producers, on which the faults come. */
  readonly address: string;
  /** The address without the faults, for looking at the queues. */
  readonly quietAddress: string;
  readonly faults: readonly PlaceFault[];
  /** True if a process that is stopped may keep the others from their work: it may have the lock of the file. */
  readonly sharedLock: boolean;
  /** True if the time of the place is that of the processes, so that jumps of their clock are faults of it. */
  readonly sharedClock: boolean;
  /** Which faults cannot be had here, and why. */
  readonly leftOut: readonly string[];
  close(): Promise<void>;
}
