/** What the processes of a container have reported about themselves: one by one, and added up. */

import { type Machine, realMachine } from '../host/host.ts';
import type { ServiceState } from '../host/systemd/service.ts';
import { ended, type Snapshot, totalOf } from '../observe/metrics/snapshot.ts';
import { type ContainerState, holding, type ProcessStatus } from '../observe/status/health.ts';
import type { Report } from './parent-process.ts';

/** A process that has reported nothing for so long, in milliseconds, does not poll: it reports every second. */
const SILENT_MS = 30_000;

/** What is known of one process, from its start to its end. Times are in milliseconds since the epoch. */
interface ChildState {
  readonly number: number;
  pid: number;
  readonly startedAt: number;
  reportedAt: number;
  state: ContainerState;
  memoryBytes: number | null;
  /** Of the machine's `now()`. */
  polledAt: number;
  snapshot: Snapshot | undefined;
}

export class ChildReports implements Omit<ServiceState, 'state'> {
  readonly #children = new Set<ChildState>();
  readonly #own: () => Snapshot;
  readonly #machine: Pick<Machine, 'now' | 'wallClock'>;
  /** What processes that have ended had done. */
  #ended: Snapshot[] = [];

  /** `own`: what the parent itself has counted. */
  constructor(own: () => Snapshot, machine: Pick<Machine, 'now' | 'wallClock'> = realMachine) {
    this.#own = own;
    this.#machine = machine;
  }

  /** Listens to a new child, the `number`th process. */
  child(number: number): { started(pid: number): void; reported(report: Report): void; ended(): void } {
    const now = this.#machine.wallClock();
    const child: ChildState = {
      number,
      pid: 0,
      startedAt: now,
      reportedAt: now,
      state: 'starting',
      memoryBytes: null,
      polledAt: 0,
      snapshot: undefined,
    };
    return {
      started: (pid) => {
        child.pid = pid;
        this.#children.add(child);
      },
      reported: (report) => {
        child.reportedAt = this.#machine.wallClock();
        if (report.type === 'ready') {
          child.state = 'running';
          child.polledAt = this.#machine.now();
        } else if (report.type === 'snapshot') {
          const { snapshot, state, memoryBytes, polling } = report;
          Object.assign(child, { snapshot, state, memoryBytes });
          if (polling) child.polledAt = this.#machine.now();
        }
      },
      ended: () => {
        this.#children.delete(child);
        if (child.snapshot) this.#ended = [totalOf([...this.#ended, ended(child.snapshot)])];
      },
    };
  }

  readonly snapshot = (): Snapshot => {
    const running = [...this.#children].flatMap(({ snapshot }) => snapshot ?? []);
    return totalOf([this.#own(), ...this.#ended, ...running]);
  };

  /** Whether all processes poll, of those that are ready and have not ended. */
  readonly polling = (): boolean =>
    [...this.#children]
      .filter(({ state }) => state !== 'starting')
      .every(({ polledAt }) => this.#machine.now() - polledAt < SILENT_MS);

  /** Those that run, by number. */
  get processes(): ProcessStatus[] {
    return [...this.#children]
      .map(({ polledAt: _, snapshot, ...child }) => ({ ...child, ...holding(snapshot) }))
      .toSorted((one, other) => one.number - other.number);
  }
}
