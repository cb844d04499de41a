/** The processes of a container, as the status shows them. */
import type { ConsumerState } from '../../consumer/consumer.ts';
import type { Snapshot } from '../metrics/snapshot.ts';

/** `starting`: it is not connected yet. */
export type ContainerState = 'starting' | ConsumerState;

export interface ProcessStatus {
  /** 1 for the first. */
  readonly number: number;
  readonly pid: number;
  readonly state: ContainerState;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Resident memory; null before its first report. */
  readonly memoryBytes: number | null;
  /** Messages held: waiting, running and settling. */
  readonly held: number;
  /** Messages whose workers run. */
  readonly running: number;
  /** Milliseconds since the epoch; what is shown of the process is of then. */
  readonly reportedAt: number;
}

/** What a process holds of all queues; undefined: it has not said. */
export function holding(snapshot: Snapshot | undefined): Pick<ProcessStatus, 'held' | 'running'> {
  let held = 0;
  let running = 0;
  for (const queue of Object.values(snapshot?.queues ?? {})) {
    held += queue.held;
    running += queue.running;
  }
  return { held, running };
}
