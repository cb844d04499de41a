/**
 * The test container (zc.sqs's idea): a spec runs the code and the ini file of production on queues in memory. Calls of
 * `queue(…)` anywhere in the process go there for as long as a test container runs. Nothing sleeps and nothing touches
 * the network; visibility timeouts and delays follow the clock, so a fake one drives them.
 */
import type { OutgoingMessage } from '../src/brokers/broker.ts';
import { MemoryBroker } from '../src/brokers/memory/broker.ts';
import type { MemoryQueue } from '../src/brokers/memory/queue.ts';
import { readConfig } from '../src/config/config.ts';
import { Consumer, type ConsumerOptions } from '../src/consumer/consumer.ts';
import { replaceBrokers } from '../src/producer/connections.ts';
import { Sender } from '../src/producer/sender.ts';
import { createWorker, type Worker, type WorkerConfig, type WorkerFactory } from '../src/worker/worker.ts';
import { consumerOptions, makeWorker } from './from-config.ts';
import { type TestedMessage, TestRecord } from './test-record.ts';

export type { TestedMessage } from './test-record.ts';

/** A container made of objects instead of an ini file. */
export interface TestContainerOptions {
  readonly queue: string;
  /** The worker factory, or a class; left out: the messages stay in the queue. */
  readonly worker?: WorkerFactory<never> | (new (config: WorkerConfig) => object);
  /** What the factory gets. Default: nothing. */
  readonly config?: WorkerConfig;
  /** What becomes of a message whose worker throws something other than a TransientError. Default: `delete`. */
  readonly onError?: 'delete' | 'retry';
  /** Seconds for which a received message stays invisible. Default: the queue's own, 30. */
  readonly visibilityTimeout?: number;
}

/** Kept from before a spec fakes the clock: these wait for promises and for a worker's I/O, not for a time. */
const { setImmediate: nextTurn, setTimeout: realTimeout, clearTimeout: clearRealTimeout } = globalThis;
/** How long `stop` waits for a worker whose signal has aborted, in milliseconds of the real clock. */
const PATIENCE_MS = 1_000;

/** SQS names queues by URL, too; here these are the queues of the last part. */
class TestBroker extends MemoryBroker {
  override open(name: string): Promise<MemoryQueue> {
    return super.open(name.slice(name.lastIndexOf('/') + 1));
  }
}

/** The containers that run share one broker, so that the workers of one can send to another. */
const running = new Set<TestContainer>();
let broker: TestBroker | undefined;
/** Those who wait in `idle`. */
const waiting: (() => void)[] = [];

export class TestContainer {
  readonly #queue: MemoryQueue;
  readonly #consumer: Consumer | undefined;
  readonly #record = new TestRecord(() => {
    for (const resolve of waiting.splice(0)) resolve();
  });
  #run: Promise<unknown> = Promise.resolve();

  /**
   * Starts a container from an ini file of production, or from objects. Of an ini file, `[worker]` and what
   * `[container]` says of worker, queue and outcomes counts; brokers, logs and exits are those of a spec.
   * Throws ConfigError, WorkerLoadError, WorkerFactoryError.
   */
  static async start(source: string | TestContainerOptions): Promise<TestContainer> {
    broker ??= new TestBroker();
    const shared = broker;
    replaceBrokers(shared);
    try {
      const { queue, worker, options } = await partsOf(source);
      const container = new TestContainer(await shared.open(queue), worker, options);
      running.add(container);
      container.#run = container.#consumer?.run() ?? Promise.resolve();
      return container;
    } finally {
      endIfNoneRuns();
    }
  }

  private constructor(queue: MemoryQueue, worker: Worker | undefined, options: ConsumerOptions) {
    this.#queue = queue;
    if (worker) this.#consumer = new Consumer(queue, worker, options, this.#record.observer);
  }

  /** Handled and deleted, in this order. */
  get deleted(): readonly TestedMessage[] {
    return this.#record.deleted;
  }

  /** Left to come back, each time: TransientErrors, and failures with `on_error = retry`. */
  get kept(): readonly TestedMessage[] {
    return this.#record.kept;
  }

  /** Failed and deleted: a worker threw, or a body was no call. */
  get failed(): readonly TestedMessage[] {
    return this.#record.failed;
  }

  /** The bodies that production would write to the messages log. */
  get messagesLog(): readonly string[] {
    return this.#record.messagesLog;
  }

  /**
   * Resolves when all that is visible has been handled and settled, in every container that runs; what is delayed or
   * in flight for later does not count. If a worker waits for a fake clock, advance that meanwhile:
   * `const idle = container.idle(); await clock.tickAsync(1000); await idle;`
   * Rejects with what `afterMessage` threw.
   */
  async idle(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => nextTurn(resolve));
      const [mistake] = this.#record.mistakes.splice(0);
      if (mistake !== undefined) throw mistake;
      if ([...running].every((container) => container.#isIdle)) return;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  }

  /** Sends a message with this very body to a queue, as another program would. */
  async send(queue: string, body: string, options: Omit<OutgoingMessage, 'body'> = {}): Promise<string> {
    if (!broker) throw new Error('The test container is stopped: nothing can be sent.');
    const { messageId } = await new Sender(broker, await broker.open(queue)).send({ ...options, body });
    return messageId;
  }

  /**
   * Ends the container. With the last one end its queues, and producers reach their real brokers again.
   * A worker that still runs gets an aborted signal; rejects if it does not end.
   */
  async stop(): Promise<void> {
    if (!running.delete(this)) return;
    this.#consumer?.stop();
    endIfNoneRuns();
    const patience = Promise.withResolvers<never>();
    const timer = realTimeout(
      () =>
        patience.reject(
          new Error(
            `The worker of the queue "${this.#queue.name}" is still running: wait with idle() before stop(), and advance a fake clock that it waits for.`,
          ),
        ),
      PATIENCE_MS,
    );
    try {
      await Promise.race([this.#run, patience.promise]);
    } finally {
      clearRealTimeout(timer);
    }
  }

  get #isIdle(): boolean {
    return !this.#consumer || (this.#consumer.held === 0 && this.#queue.currentCounts.visible === 0);
  }
}

function endIfNoneRuns(): void {
  if (running.size > 0) return;
  replaceBrokers(undefined);
  broker = undefined;
  for (const resolve of waiting.splice(0)) resolve();
}

interface Parts {
  readonly queue: string;
  readonly worker: Worker | undefined;
  readonly options: ConsumerOptions;
}

async function partsOf(source: string | TestContainerOptions): Promise<Parts> {
  return typeof source === 'string' ? fromFile(source) : fromObjects(source);
}

async function fromFile(file: string): Promise<Parts> {
  const config = readConfig(file);
  const { messageLimit: _, idleExit: __, ...options } = consumerOptions(config);
  return {
    queue: config.container.queue,
    worker: await makeWorker(config),
    options: { ...options, ...atOnce },
  };
}

async function fromObjects({
  queue,
  worker,
  config = {},
  onError = 'delete',
  visibilityTimeout,
}: TestContainerOptions): Promise<Parts> {
  return {
    queue,
    worker: worker && (await createWorker(worker, config, `of the queue "${queue}"`)),
    options: {
      slots: 1,
      waitSeconds: 20,
      onError,
      ...(visibilityTimeout !== undefined && { visibilityTimeout }),
      ...atOnce,
    },
  };
}

/** Nothing is gained by waiting where a request costs nothing. */
const atOnce = { settleDelayMs: 0, drainTimeout: 0 };
