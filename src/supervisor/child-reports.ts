/** What the processes of a container have reported about themselves: one by one, and added up. */

import type { ServiceState } from '../host/systemd/service.ts';
import { ended, type Snapshot, totalOf } from '../observe/metrics/snapshot.ts';
import { type ContainerState, holding, type ProcessStatus } from '../observe/status/health.ts';
import type { Report } from './child.ts';

/** A process that has reported nothing for so long, in milliseconds, does not poll: it reports every second. */
const SILENT_MS = 30_000;

/** What is known of one process, from its start to its end. Times are in milliseconds since the epoch. */
interface Known {
  readonly number: number;
  pid: number;
  readonly startedAt: number;
  reportedAt: number;
  state: ContainerState;
  memoryBytes: number | null;
  /** Of `performance.now()`. */
  polledAt: number;
  snapshot: Snapshot | undefined;
}

export class ChildReports implements Omit<ServiceState, 'state'> {
  readonly #children = new Set<Known>();
  readonly #own: () => Snapshot;
  /** What processes that have ended had done. */
  #ended: Snapshot[] = [];

  /** `own`: what the parent itself has counted. */
  constructor(own: () => Snapshot) {
    this.#own = own;
  }

  /** Listens to a new child, the `number`th process. */
  child(number: number): { started(pid: number): void; reported(report: Report): void; ended(): void } {
    const now = Date.now();
    const known: Known = {
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
        known.pid = pid;
        this.#children.add(known);
      },
      reported: (report) => {
        known.reportedAt = Date.now();
        if (report.type === 'ready') {
          known.state = 'running';
          known.polledAt = performance.now();
        } else if (report.type === 'snapshot') {
          const { snapshot, state, memoryBytes, polling } = report;
          Object.assign(known, { snapshot, state, memoryBytes });
          if (polling) known.polledAt = performance.now();
        }
      },
      ended: () => {
        this.#children.delete(known);
        if (known.snapshot) this.#ended = [totalOf([...this.#ended, ended(known.snapshot)])];
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
      .every(({ polledAt }) => performance.now() - polledAt < SILENT_MS);

  /** Those that run, by number. */
  get processes(): ProcessStatus[] {
    return [...this.#children]
      .map(({ polledAt: _, snapshot, ...known }) => ({ ...known, ...holding(snapshot) }))
      .toSorted((one, other) => one.number - other.number);
  }
}
