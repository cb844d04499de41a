/** A broker with fault injection: the address of a run's queues and the faults that can be injected. */
import type { FaultKind } from '../plan.ts';

/** A broker fault: `begin` causes it, `end` undoes it. */
export interface BrokerFault extends FaultKind {
  /** `chance` is the fault's random number, at least 0 and below 1. */
  begin(chance: number): void | Promise<void>;
  end?(): void | Promise<void>;
}

export interface FaultyBroker {
  /** For containers and producers; subject to the faults. */
  readonly address: string;
  /** For inspecting the queues: the same broker, without faults. */
  readonly directAddress: string;
  readonly faults: readonly BrokerFault[];
  /** True if a stopped process can block the others, because it may hold the file's lock. */
  readonly sharedLock: boolean;
  /** True if the broker uses the clock of the processes, so that clock jumps are broker faults. */
  readonly sharedClock: boolean;
  /** The faults that cannot be injected on this machine, and why. */
  readonly leftOut: readonly string[];
  close(): Promise<void>;
}
