/** Whether a container is well, and whether it works: pure decisions, with reasons for people. */
import type { Snapshot } from '../metrics/snapshot.ts';
import type { ContainerState, ProcessStatus } from './processes.ts';

/** How much longer than its wait a receive may take, in seconds, as for the watchdog of the run loop. */
const MARGIN_SECONDS = 60;

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
