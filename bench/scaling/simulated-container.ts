/**
 * One of many containers in a simulation, on a queue in memory and a fake clock: the real run loop, with requests that take
 * time and a worker that sleeps for the time in the message's body.
 */
import { sleep } from '../../harness/clock.ts';
import type {
  Message,
  Queue,
  QueueInspection,
  ReceiveOptions,
  RequestLimits,
} from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { defaultSettings } from '../../src/config/config.ts';
import { Consumer } from '../../src/consumer/consumer.ts';
import type { DrainReport } from '../../src/consumer/drain.ts';
import type { ConsumerObserver } from '../../src/consumer/observer.ts';
import { realHost } from '../../src/host/host.ts';
import { currentMessage } from '../../src/worker/current-message.ts';

export interface ContainerSettings {
  /** `concurrency`. */
  readonly concurrency: number;
  /** Default: `auto`. */
  readonly prefetch?: number | 'auto';
  /** `settle_delay`, in milliseconds. Default 200. */
  readonly settleDelay?: number;
  /** In seconds. Default: the queue's own. */
  readonly visibilityTimeout?: number;
  /** In seconds. Default 30. */
  readonly drainTimeout?: number;
}

/** Gets reports from the workers of all containers. */
export interface Watcher {
  /** A worker got a message, `waitedMs` after it was sent. */
  readonly started: (messageId: string, waitedMs: number) => void;
  readonly handled: (messageId: string) => void;
}

export class SimulatedContainer {
  /** How many messages its worker has handled. */
  handled = 0;
  /** The maximum number of messages received and not started at the same time. */
  mostWaiting = 0;
  #waiting = 0;
  readonly #queue: DistantQueue;
  readonly #consumer: Promise<Consumer>;
  readonly #end: Promise<DrainReport | undefined>;
  #killed = false;

  /** Starts it. */
  constructor(queue: Queue, network: Network, settings: ContainerSettings, watcher: Watcher) {
    this.#queue = new DistantQueue(queue, network);
    const worker = {
      handleMessage: async ({ id, body, sentAt }: Message) => {
        if (this.#killed) return;
        this.#waiting -= 1;
        watcher.started(id, Date.now() - sentAt);
        await work(Number(body), currentMessage().signal);
        if (this.#killed) return;
        this.handled += 1;
        watcher.handled(id);
      },
    };
    const observer: ConsumerObserver = {
      received: (_queue, { length }) => {
        this.#waiting += length;
        // By then, every message that can start has started.
        setTimeout(() => {
          this.mostWaiting = Math.max(this.mostWaiting, this.#waiting);
        });
      },
    };
    const host = realHost({ open: async () => this.#queue });
    const all = { ...defaultSettings(), poll: 20, onError: 'retry', ...settings } as const;
    this.#consumer = Consumer.open(host, all, { worker, observers: [observer] });
    // After a kill, errors no longer matter: the container's broker does not respond.
    this.#end = this.#consumer.then((consumer) => consumer.run()).catch(() => undefined);
  }

  /** Simulates SIGTERM; resolves when the container has drained. */
  stop(): Promise<DrainReport | undefined> {
    void this.#consumer.then((consumer) => consumer.stop());
    return this.#end;
  }

  /** Simulates SIGKILL: its messages become visible again when their visibility timeout ends. */
  kill(): void {
    this.#killed = true;
    this.#queue.kill();
    void this.#consumer.then((consumer) => consumer.stop());
  }
}

/** Sleeps; rejects with the signal's reason if the signal aborts first. */
function work(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** The network shared by all containers of a simulation. */
export interface Network {
  /** The round-trip time of a request, in milliseconds. */
  readonly latencyMs: number;
  /** True while the broker is unreachable. */
  isDown: boolean;
  /** Called for each request. */
  readonly onRequest: () => void;
}

/**
 * A queue as seen by a container over a network: each request takes time, is counted, and fails while the broker is down.
 * Requests from a killed container never arrive.
 */
class DistantQueue implements Queue {
  readonly #queue: Queue;
  readonly #network: Network;
  readonly #killed = new AbortController();

  constructor(queue: Queue, network: Network) {
    this.#queue = queue;
    this.#network = network;
  }

  get name(): string {
    return this.#queue.name;
  }

  get fifo(): boolean {
    return this.#queue.fifo;
  }

  get visibilityTimeout(): number {
    return this.#queue.visibilityTimeout;
  }

  get contentBasedDeduplication(): boolean {
    return this.#queue.contentBasedDeduplication;
  }

  get limits(): RequestLimits {
    return this.#queue.limits;
  }

  get inspect(): QueueInspection | undefined {
    return this.#queue.inspect;
  }

  get abortsReceives(): boolean {
    return this.#queue.abortsReceives;
  }

  receive(options: ReceiveOptions): Promise<Message[]> {
    const signal = AbortSignal.any([this.#killed.signal, ...(options.signal ? [options.signal] : [])]);
    return this.#request(() => this.#queue.receive({ ...options, signal }));
  }

  send(...given: Parameters<Queue['send']>): ReturnType<Queue['send']> {
    return this.#request(() => this.#queue.send(...given));
  }

  delete(...given: Parameters<Queue['delete']>): ReturnType<Queue['delete']> {
    return this.#request(() => this.#queue.delete(...given));
  }

  changeVisibility(...given: Parameters<Queue['changeVisibility']>): ReturnType<Queue['changeVisibility']> {
    return this.#request(() => this.#queue.changeVisibility(...given));
  }

  counts(): ReturnType<Queue['counts']> {
    return this.#request(() => this.#queue.counts());
  }

  purge(): Promise<void> {
    return this.#request(() => this.#queue.purge());
  }

  /** The process was killed: its polls end, and it sends no more requests. */
  kill(): void {
    this.#killed.abort();
  }

  async #request<Result>(arrive: () => Promise<Result>): Promise<Result> {
    if (this.#killed.signal.aborted) return new Promise(() => {});
    this.#network.onRequest();
    await sleep(this.#network.latencyMs / 2);
    if (this.#network.isDown) throw new BrokerError('unreachable', 'The broker is down.');
    const result = await arrive();
    await sleep(this.#network.latencyMs / 2);
    return result;
  }
}
