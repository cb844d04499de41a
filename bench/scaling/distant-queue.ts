/**
 * A queue as one container sees it over a network: each request takes time, is counted, and fails while the broker is
 * down. Of a container that was killed, no request arrives any more.
 */
import type {
  Message,
  Queue,
  QueueInspection,
  ReceiveOptions,
  RequestLimits,
} from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { sleep } from '../handlers.ts';

/** What the containers of a simulation have in common. */
export interface Network {
  /** How long a request is on its way, there and back, in milliseconds. */
  readonly latencyMs: number;
  /** True while the broker cannot be reached. */
  isDown: boolean;
  /** Called for each request. */
  readonly onRequest: () => void;
}

export class DistantQueue implements Queue {
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

  /** The process has ended without a word: its polls end, and nobody hears of it again. */
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
