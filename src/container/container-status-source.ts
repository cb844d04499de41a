/** What the status server of a single-process container reads. Loaded only if the ini file has `[http] listen`. */
import type { Broker, Queue } from '../brokers/broker.ts';
import type { Consumer } from '../consumer/consumer.ts';
import type { Metrics } from '../observe/metrics/metrics.ts';
import type { Snapshot } from '../observe/metrics/snapshot.ts';
import { type ContainerState, holding, type ProcessStatus } from '../observe/status/health.ts';
import type { StatusSource } from '../observe/status/monitor.ts';
import type { StatusServer } from '../observe/status/server.ts';
import { counted, openStatus, type StatusSubject } from './open-status.ts';

interface Connected {
  readonly consumer: Consumer;
  readonly broker: Broker;
}

export class ContainerStatusSource implements StatusSource {
  readonly #metrics: Metrics;
  #server: StatusServer | undefined;
  #connected: Connected | undefined;

  /** Opens the status server, unless the parent process runs it. Throws StatusServerError. */
  static async open(
    subject: StatusSubject,
    metrics: Metrics,
    hasParent: boolean,
  ): Promise<ContainerStatusSource> {
    const source = new ContainerStatusSource(metrics);
    if (!hasParent) source.#server = await openStatus(subject, source);
    return source;
  }

  private constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Wraps the broker to count its requests. Use the result instead. */
  counted(broker: Broker): Broker {
    return counted(broker, this.#metrics);
  }

  /** Called once the container receives messages. */
  connected(connected: Connected): void {
    this.#connected = connected;
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  get state(): ContainerState {
    return this.#connected?.consumer.state ?? 'starting';
  }

  get broker(): string {
    return this.#connected?.broker.description ?? '';
  }

  get total(): Snapshot {
    const { consumer } = this.#connected ?? {};
    return this.#metrics.snapshot(consumer?.settings.concurrency ?? 0, consumer?.loads ?? []);
  }

  get processes(): ProcessStatus[] {
    const { total } = this;
    return [
      {
        number: 1,
        pid: process.pid,
        state: this.state,
        startedAt: total.startedAt,
        memoryBytes: process.memoryUsage.rss(),
        ...holding(total),
        reportedAt: Date.now(),
      },
    ];
  }

  async queues(): Promise<readonly Queue[]> {
    const { queues = [], deadLetterQueue } = this.#connected?.consumer ?? {};
    return [...queues.map(({ queue }) => queue), ...(deadLetterQueue ? [deadLetterQueue] : [])];
  }

  pause(): void {
    this.#connected?.consumer.pause();
  }

  resume(): void {
    this.#connected?.consumer.resume();
  }

  wake(): void {
    this.#connected?.consumer.wake();
  }
}
