/**
 * Many containers on one queue in memory, in one process and on a fake clock: the real run loop, with requests that
 * take time and workers that sleep for as long as the body of a message says.
 */
import type { Queue } from '../../src/brokers/broker.ts';
import { Consumer } from '../../src/consumer/consumer.ts';
import type { DrainReport } from '../../src/consumer/drain.ts';
import { currentMessage } from '../../src/worker/current-message.ts';
import { DistantQueue, type Network } from './distant-queue.ts';

export interface ContainerSettings {
  /** `concurrency`. */
  readonly slots: number;
  /** Default: `auto`. */
  readonly prefetch?: number | 'auto';
  /** `settle_delay`, in milliseconds. Default 200. */
  readonly settleDelayMs?: number;
  /** In seconds. Default: that of the queue. */
  readonly visibilityTimeout?: number;
  /** In seconds. Default 30. */
  readonly drainTimeout?: number;
}

/** What the workers of all containers tell. */
export interface Watcher {
  /** A worker got a message, `waitedMs` after it was sent. */
  readonly started: (messageId: string, waitedMs: number) => void;
  readonly handled: (messageId: string) => void;
}

export class Container {
  /** How many messages its worker has handled. */
  handled = 0;
  /** The most messages that were received and not started, at once. */
  mostWaiting = 0;
  #waiting = 0;
  readonly #queue: DistantQueue;
  readonly #consumer: Consumer;
  readonly #end: Promise<DrainReport | undefined>;
  #killed = false;

  /** Starts it. */
  constructor(queue: Queue, network: Network, settings: ContainerSettings, watcher: Watcher) {
    const { settleDelayMs = 200, drainTimeout = 30, ...rest } = settings;
    this.#queue = new DistantQueue(queue, network);
    this.#consumer = new Consumer(
      [{ queue: this.#queue, weight: 1 }],
      {
        handleMessage: async ({ id, body, sentAt }) => {
          if (this.#killed) return;
          this.#waiting -= 1;
          watcher.started(id, Date.now() - sentAt);
          await work(Number(body), currentMessage().signal);
          if (this.#killed) return;
          this.handled += 1;
          watcher.handled(id);
        },
      },
      { ...rest, settleDelayMs, drainTimeout, waitSeconds: 20, onError: 'retry' },
      {
        received: (_queue, { length }) => {
          this.#waiting += length;
          // What can start has started by then.
          setTimeout(() => {
            this.mostWaiting = Math.max(this.mostWaiting, this.#waiting);
          });
        },
      },
    );
    // One that was killed finds its broker silent, which is nobody's concern any more.
    this.#end = this.#consumer.run().catch(() => undefined);
  }

  /** As SIGTERM does; resolves when it has drained. */
  stop(): Promise<DrainReport | undefined> {
    this.#consumer.stop();
    return this.#end;
  }

  /** As SIGKILL does: what it held comes back when the visibility timeout ends. */
  kill(): void {
    this.#killed = true;
    this.#queue.kill();
    this.#consumer.stop();
  }
}

/** Sleeps; rejects with the signal's reason if that aborts first. */
function work(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
