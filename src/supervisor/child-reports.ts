/** Collects the reports from a container's processes, per process and in total. */

import { type Machine, realMachine } from '../host/host.ts';
import type { ServiceState } from '../host/systemd/service.ts';
import { ended, type Snapshot, totalOf } from '../observe/metrics/snapshot.ts';
import { type ContainerState, holding, type ProcessStatus } from '../observe/status/health.ts';
import type { Report } from './parent-process.ts';

/** A process that has not reported polling for this long, in milliseconds, counts as stuck. It reports every second. */
const SILENT_MS = 30_000;

/** The state of one process, from start to exit. Times are in milliseconds since the epoch. */
interface ChildState {
  readonly number: number;
  pid: number;
  readonly startedAt: number;
  reportedAt: number;
  state: ContainerState;
  memoryBytes: number | null;
  /** On the clock of the machine's `now()`. */
  polledAt: number;
  snapshot: Snapshot | undefined;
}

export class ChildReports implements Omit<ServiceState, 'state'> {
  readonly #children = new Set<ChildState>();
  readonly #own: () => Snapshot;
  readonly #machine: Pick<Machine, 'now' | 'wallClock'>;
  /** Counts of processes that have exited. */
  #ended: Snapshot[] = [];

  /** `own` returns the parent's own counts. */
  constructor(own: () => Snapshot, machine: Pick<Machine, 'now' | 'wallClock'> = realMachine) {
    this.#own = own;
    this.#machine = machine;
  }

  /** Registers a new child for process `number`, and returns the callbacks for its events. */
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

  /** Whether all running processes that are ready poll. */
  readonly polling = (): boolean =>
    [...this.#children]
      .filter(({ state }) => state !== 'starting')
      .every(({ polledAt }) => this.#machine.now() - polledAt < SILENT_MS);

  /** The running processes, ordered by number. */
  get processes(): ProcessStatus[] {
    return [...this.#children]
      .map(({ polledAt: _, snapshot, ...child }) => ({ ...child, ...holding(snapshot) }))
      .toSorted((one, other) => one.number - other.number);
  }
}
