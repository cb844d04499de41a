/** What all simulations share: the queue, the network, the messages that come, and what is noted of them. */
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { exponential, seeded } from '../../harness/random.ts';
import { percentile } from '../../harness/statistics.ts';
import type { Queue } from '../../src/brokers/broker.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { type ContainerSettings, type Network, SimulatedContainer } from './simulated-container.ts';

/** A request's time there and back, in milliseconds: about that of SQS within a region. */
export const LATENCY_MS = 20;
/** What is not handled by then never will be. */
const PATIENCE_MS = 3_600_000;

/** How long workers take. */
export interface Handling {
  /** On average, in milliseconds; as uneven as chance makes it. */
  readonly handlingMs: number;
  /** One of so many messages takes `slowMs` instead. Default: none. */
  readonly slowOneOf?: number;
  readonly slowMs?: number;
}

export interface SimulationSetup extends Handling {
  readonly containers: number;
  readonly settings: ContainerSettings;
}

/** From the sending of messages until the worker began that handled them, in milliseconds. */
export interface WaitTimes {
  /** Of half of them at most. */
  readonly medianWaitMs: number;
  /** Of 99 of 100 at most. */
  readonly slowWaitMs: number;
}

export class Simulation {
  readonly clock: SinonFakeTimers;
  readonly network: Network;
  readonly containers: SimulatedContainer[] = [];
  /** Requests of the containers. */
  requests = 0;
  /** Of handled messages: from their sending until a worker began, the last time if there were several; in milliseconds. */
  waits: number[] = [];
  handled = 0;
  sent = 0;
  /** Messages that a worker got once more. */
  repeated = 0;
  readonly #queue: Queue;
  readonly #settings: ContainerSettings;
  readonly #handling: Handling;
  readonly #random = seeded(1);
  /** By id: how long a message had waited when a worker began it. */
  readonly #started = new Map<string, number>();
  readonly #done = new Set<string>();
  #sending: NodeJS.Timeout | undefined;

  /** Fakes the clock of the process, and starts the containers within a second of it. */
  static async start({ containers, settings, ...handling }: SimulationSetup): Promise<Simulation> {
    const clock = useFakeTimers();
    const simulation = new Simulation(clock, await new MemoryBroker().open('scaling'), settings, handling);
    // They would not begin in the same instant.
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

  /** Messages that were sent and that no worker has finished. */
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

  /** Sends so many messages a second from now on, at random times. */
  startSending(messagesPerSecond: number): void {
    let nextAt = this.clock.now;
    const next = () => {
      // The timers of the clock count whole milliseconds, in which several messages may come.
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

  /** Lets time pass until everything is handled, an hour at most; how many seconds that took. */
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
