/** The processes of a container; whether it is well, and whether it works: pure decisions, with reasons for people. */
import type { ConsumerState } from '../../consumer/consumer.ts';
import type { Snapshot } from '../metrics/snapshot.ts';

/** How much longer than its wait a receive may take, in seconds, as for the watchdog of the run loop. */
const MARGIN_SECONDS = 60;

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

export interface HealthInput {
  readonly at: number;
  readonly state: ContainerState;
  readonly total: Snapshot;
  readonly processes: readonly ProcessStatus[];
  /** How long a receive waits for messages, in seconds. */
  readonly waitSeconds: number;
}

/**
 * Why the container should be started again; nothing while polling makes progress. That a broker cannot be reached is no
 * reason: polling goes on by itself, and a new process would not reach it either.
 */
export function healthProblems({ at, total, processes, waitSeconds }: HealthInput): string[] {
  const longest = waitSeconds + MARGIN_SECONDS;
  const stalled = Object.entries(total.queues)
    .filter(([, { silentSeconds }]) => silentSeconds > longest)
    .map(
      ([name, { silentSeconds }]) =>
        `no receive from the queue "${name}" has ended for ${Math.round(silentSeconds)} s`,
    );
  const silent = processes
    .map(({ number, pid, reportedAt }) => ({ number, pid, seconds: (at - reportedAt) / 1000 }))
    .filter(({ seconds }) => seconds > longest)
    .map(
      ({ number, pid, seconds }) =>
        `process ${number} (pid ${pid}) has said nothing for ${Math.round(seconds)} s: its worker may keep it busy`,
    );
  return [...stalled, ...silent];
}

/** Why the container takes no messages now; nothing once it is connected, and until it drains. */
export function readinessProblems({ state, processes }: Pick<HealthInput, 'state' | 'processes'>): string[] {
  if (state === 'draining') return ['it drains, and takes no more messages'];
  if (processes.every((process) => process.state === 'starting'))
    return ['it is starting, and not connected yet'];
  return [];
}
