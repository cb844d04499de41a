/** The basis of all simulations: the queue, the network, the messages that arrive, and their statistics. */
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { exponential, seeded } from '../../harness/random.ts';
import { percentile } from '../../harness/statistics.ts';
import type { Queue } from '../../src/brokers/broker.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { type ContainerSettings, type Network, SimulatedContainer } from './simulated-container.ts';

/** The round-trip time of a request, in milliseconds: about that of SQS within a region. */
export const LATENCY_MS = 20;
/** Messages not handled by then never will be. */
const PATIENCE_MS = 3_600_000;

/** How long workers take. */
export interface Handling {
  /** The mean of an exponential distribution, in milliseconds. */
  readonly handlingMs: number;
  /** One in this many messages takes `slowMs` instead. Default: none. */
  readonly slowOneOf?: number;
  readonly slowMs?: number;
}

export interface SimulationSetup extends Handling {
  readonly containers: number;
  readonly settings: ContainerSettings;
}

/** The times from the send of a message until the worker that handled it started, in milliseconds. */
export interface WaitTimes {
  /** The median. */
  readonly medianWaitMs: number;
  /** The 99th percentile. */
  readonly slowWaitMs: number;
}

export class Simulation {
  readonly clock: SinonFakeTimers;
  readonly network: Network;
  readonly containers: SimulatedContainer[] = [];
  /** Requests from the containers. */
  requests = 0;
  /** For each handled message, the time from its send to the last start of a worker, in milliseconds. */
  waits: number[] = [];
  handled = 0;
  sent = 0;
  /** Messages that a worker received again. */
  repeated = 0;
  readonly #queue: Queue;
  readonly #settings: ContainerSettings;
  readonly #handling: Handling;
  readonly #random = seeded(1);
  /** By id: how long a message had waited when its worker started. */
  readonly #started = new Map<string, number>();
  readonly #done = new Set<string>();
  #sending: NodeJS.Timeout | undefined;

  /** Fakes the clock of the process, and starts the containers spread over one second. */
  static async start({ containers, settings, ...handling }: SimulationSetup): Promise<Simulation> {
    const clock = useFakeTimers();
    const simulation = new Simulation(clock, await new MemoryBroker().open('scaling'), settings, handling);
    // Real containers would not start at the same instant.
    for (let started = 0; started < containers; started += 1) {
      simulation.startContainer();
      await clock.tickAsync(1000 / containers);
    }
    return simulation;
  }

  private constructor(clock: SinonFakeTimers, queue: Queue, settings: ContainerSettings, handling: Handling) {
    this.clock = clock;
    this.#queue = queue;
    this.#settings = settings;
    this.#handling = handling;
    this.network = {
      latencyMs: LATENCY_MS,
      isDown: false,
      onRequest: () => {
        this.requests += 1;
      },
    };
  }

  get waitTimes(): WaitTimes {
    return { medianWaitMs: percentile(this.waits, 0.5), slowWaitMs: percentile(this.waits, 0.99) };
  }

  /** Messages that were sent but not finished by any worker. */
  get unfinished(): number {
    return this.sent - this.#done.size;
  }

  /** Starts one more container. */
  startContainer(): SimulatedContainer {
    const container = new SimulatedContainer(this.#queue, this.network, this.#settings, {
      started: (id, waitedMs) => {
        if (this.#started.has(id)) this.repeated += 1;
        this.#started.set(id, waitedMs);
      },
      handled: (id) => {
        this.handled += 1;
        this.waits.push(this.#started.get(id) ?? Number.NaN);
        this.#done.add(id);
      },
    });
    this.containers.push(container);
    return container;
  }

  async send(messages: number): Promise<void> {
    for (let message = 0; message < messages; message += 1) await this.#sendOne();
  }

  /** Starts sending this many messages per second, at random times. */
  startSending(messagesPerSecond: number): void {
    let nextAt = this.clock.now;
    const next = () => {
      // The clock's timers have whole milliseconds, and several messages may be due in one.
      while (nextAt <= this.clock.now) {
        void this.#sendOne();
        nextAt += exponential(1000 / messagesPerSecond, this.#random);
      }
      this.#sending = setTimeout(next, nextAt - this.clock.now);
    };
    next();
  }

  stopSending(): void {
    clearTimeout(this.#sending);
  }

  async seconds(count: number): Promise<void> {
    await this.clock.tickAsync(count * 1000);
  }

  /** Lets time pass until all messages are handled, at most an hour; resolves to how many seconds that took. */
  async untilDone(): Promise<number> {
    const startedAt = this.clock.now;
    while (this.unfinished > 0 && this.clock.now < startedAt + PATIENCE_MS) await this.clock.tickAsync(100);
    return (this.clock.now - startedAt) / 1000;
  }

  async #sendOne(): Promise<void> {
    this.sent += 1;
    const { handlingMs, slowOneOf, slowMs } = this.#handling;
    const isSlow = slowOneOf !== undefined && this.sent % slowOneOf === 0;
    const milliseconds = isSlow ? slowMs : exponential(handlingMs, this.#random);
    await this.#queue.send([{ body: String(milliseconds) }]);
  }
}
