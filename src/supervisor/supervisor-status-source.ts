/**
 * What the status server of a container with several processes reads: their reports, and the queues, which the parent
 * opens on the first request. Loaded only if the ini file has `[http] listen`.
 */
import type { Broker, Queue } from '../brokers/broker.ts';
import { openBroker } from '../brokers/open.ts';
import { counted, namesOf, openStatus, type StatusSubject } from '../container/open-status.ts';
import type { Metrics } from '../observe/metrics/metrics.ts';
import type { Snapshot } from '../observe/metrics/snapshot.ts';
import type { ContainerState, ProcessStatus } from '../observe/status/health.ts';
import type { StatusSource } from '../observe/status/monitor.ts';
import type { StatusServer } from '../observe/status/server.ts';
import type { ChildReports } from './child-reports.ts';
import type { Supervisor } from './supervisor.ts';

export interface Supervised {
  readonly supervisor: Supervisor;
  readonly reports: ChildReports;
  /** Counts the parent's own requests. */
  readonly metrics: Metrics;
}

export class SupervisorStatusSource implements StatusSource {
  readonly #subject: StatusSubject;
  readonly #supervised: Supervised;
  #server: StatusServer | undefined;
  #broker: Broker | undefined;
  #queues: readonly Queue[] | undefined;

  /** Opens the status server. Throws StatusServerError. */
  static async open(subject: StatusSubject, supervised: Supervised): Promise<SupervisorStatusSource> {
    const source = new SupervisorStatusSource(subject, supervised);
    source.#server = await openStatus(subject, source);
    return source;
  }

  private constructor(subject: StatusSubject, supervised: Supervised) {
    this.#subject = subject;
    this.#supervised = supervised;
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.#broker?.close();
  }

  get state(): ContainerState {
    const { state } = this.#supervised.supervisor;
    const isStarting = this.processes.every((process) => process.state === 'starting');
    return state === 'running' && isStarting ? 'starting' : state;
  }

  get broker(): string {
    return this.#broker?.description ?? this.#subject.config.container.broker;
  }

  get total(): Snapshot {
    return this.#supervised.reports.snapshot();
  }

  get processes(): ProcessStatus[] {
    return this.#supervised.reports.processes;
  }

  async queues(): Promise<readonly Queue[]> {
    const { config, suffix } = this.#subject;
    const { container, directory, sqs } = config;
    this.#broker ??= counted(
      await openBroker(container.broker, { directory, sqs }),
      this.#supervised.metrics,
    );
    const broker = this.#broker;
    this.#queues ??= await Promise.all(namesOf(config, suffix).map((name) => broker.open(name)));
    return this.#queues;
  }

  pause(): void {
    this.#supervised.supervisor.pause();
  }

  resume(): void {
    this.#supervised.supervisor.resume();
  }

  wake(): void {
    this.#supervised.supervisor.order({ type: 'wake' });
  }
}
