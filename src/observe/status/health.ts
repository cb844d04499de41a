/** Whether a container is healthy and ready: pure decisions, with reasons for people. */
import type { ConsumerState } from '../../consumer/consumer.ts';
import { RECEIVE_MARGIN_SECONDS } from '../../consumer/pauses.ts';
import type { Snapshot } from '../metrics/snapshot.ts';

/** `starting`: not connected yet. */
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
  /** The time of this information, in milliseconds since the epoch. */
  readonly reportedAt: number;
}

/** How many messages a process holds from all queues. `snapshot`: undefined before its first report. */
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
 * Why the container should be restarted; empty while polling makes progress. An unreachable broker is not a reason: the
 * container keeps trying, and a new process could not reach the broker either.
 */
export function healthProblems({ at, total, processes, waitSeconds }: HealthInput): string[] {
  const longest = waitSeconds + RECEIVE_MARGIN_SECONDS;
  const stalled = Object.entries(total.queues)
    .filter(([, { silentSeconds }]) => silentSeconds > longest)
    .map(
      ([name, { silentSeconds }]) =>
        `no receive from queue "${name}" has returned for ${Math.round(silentSeconds)} s`,
    );
  const silent = processes
    .map(({ number, pid, reportedAt }) => ({ number, pid, seconds: (at - reportedAt) / 1000 }))
    .filter(({ seconds }) => seconds > longest)
    .map(
      ({ number, pid, seconds }) =>
        `process ${number} (pid ${pid}) has not reported for ${Math.round(seconds)} s: its worker may be blocking it`,
    );
  return [...stalled, ...silent];
}

/** Why the container does not receive messages now; empty from when it is connected until it drains. */
export function readinessProblems({ state, processes }: Pick<HealthInput, 'state' | 'processes'>): string[] {
  if (state === 'draining') return ['draining: receives no more messages'];
  if (processes.every((process) => process.state === 'starting')) return ['starting: not connected yet'];
  return [];
}
