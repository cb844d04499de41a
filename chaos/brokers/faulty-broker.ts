/** A broker that can fail: where the queues of a run are, and what can go wrong there. */
import type { FaultKind } from '../plan.ts';

/** A fault of a broker: `begin` causes it, and `end` undoes it. */
export interface BrokerFault extends FaultKind {
  /** `chance`, from 0 to below 1, is the fault's own. */
  begin(chance: number): void | Promise<void>;
  end?(): void | Promise<void>;
}

export interface FaultyBroker {
  /** For containers and producers, which meet the faults. */
  readonly address: string;
  /** For inspecting the queues: the same broker without the faults. */
  readonly directAddress: string;
  readonly faults: readonly BrokerFault[];
  /** True if a process that is stopped may keep the others from their work: it may have the lock of the file. */
  readonly sharedLock: boolean;
  /** True if the broker goes by the clock of the processes, so that its jumps are faults of the broker. */
  readonly sharedClock: boolean;
  /** Which faults cannot be caused here, and why. */
  readonly leftOut: readonly string[];
  close(): Promise<void>;
}
