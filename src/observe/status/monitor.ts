/** Provides the status server's data: takes a sample every five seconds, and builds the full status on request. */
import type { Queue } from '../../brokers/broker.ts';
import { withoutPasswords } from '../../config/secrets.ts';
import { prometheusText } from '../metrics/prometheus.ts';
import { redacted } from '../metrics/redacted.ts';
import type { Snapshot } from '../metrics/snapshot.ts';
import type { ContainerState, ProcessStatus } from './health.ts';
import { healthProblems, readinessProblems } from './health.ts';
import { type Columns, History, STEP_MS } from './history.ts';
import { QueueDepths } from './queue-depths.ts';
import { type ContainerFacts, type Status, statusOf } from './status.ts';

/** The container that the server shows and controls, with one process or several. */
export interface StatusSource {
  readonly state: ContainerState;
  /** Description of the broker, for people; empty before it is known. */
  readonly broker: string;
  /** All counts, and the messages held. */
  readonly total: Snapshot;
  readonly processes: readonly ProcessStatus[];
  /** The queues whose message counts are shown. */
  queues(): Promise<readonly Queue[]>;
  pause(): void;
  resume(): void;
  wake(): void;
}

/** How many characters of a broker's error to show. */
const LONGEST_PROBLEM = 500;

export class Monitor {
  readonly #source: StatusSource;
  readonly #facts: ContainerFacts;
  readonly #waitSeconds: number;
  readonly #depths: QueueDepths;
  readonly #history: History;
  readonly #timer: NodeJS.Timeout;

  /** `waitSeconds`: how long a long poll waits for messages. */
  constructor(source: StatusSource, facts: ContainerFacts, waitSeconds: number) {
    this.#source = source;
    this.#facts = facts;
    this.#waitSeconds = waitSeconds;
    this.#depths = new QueueDepths(() => source.queues());
    this.#history = new History({ at: Date.now(), snapshot: source.total });
    this.#timer = setInterval(
      () => this.#history.add({ at: Date.now(), snapshot: source.total }, this.#depths.known),
      STEP_MS,
    );
  }

  /** Stops taking samples. */
  close(): void {
    clearInterval(this.#timer);
  }

  /** The status as known now. Requests the message counts, but does not wait for them. */
  get status(): Status {
    void this.#depths.look();
    return this.#status();
  }

  /** The status with fresh message counts, unless the broker is slow. */
  async look(): Promise<Status> {
    await this.#depths.look();
    return this.#status();
  }

  /** The points for charts after this time. */
  pointsSince(at: number): Columns {
    return this.#history.since(at);
  }

  async metrics(): Promise<string> {
    await this.#depths.look();
    const { total, processes } = this.#source;
    return prometheusText(total, processes.length, this.#depths.known);
  }

  /** Why the container should be restarted. */
  get healthProblems(): string[] {
    return healthProblems(this.#health());
  }

  /** Why it does not receive messages now. */
  get readinessProblems(): string[] {
    return readinessProblems(this.#source);
  }

  #health() {
    const { state, total, processes } = this.#source;
    return { at: Date.now(), state, total, processes, waitSeconds: this.#waitSeconds };
  }

  #status(): Status {
    const health = this.#health();
    const { problem } = this.#depths;
    return statusOf({
      ...health,
      facts: this.#facts,
      broker: withoutPasswords(this.#source.broker),
      before: this.#history.minuteBefore,
      depths: this.#depths.known,
      countsProblem: problem === undefined ? undefined : redacted(problem, LONGEST_PROBLEM),
      problems: healthProblems(health),
    });
  }
}
