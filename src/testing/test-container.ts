/**
 * The test container (an idea from zc.sqs): a spec runs production code and its ini file on queues in memory. While a test
 * container runs, `queue(…)` calls anywhere in the process send to these queues. Nothing sleeps or touches the network;
 * visibility timeouts and delays follow the clock, so a fake clock drives them.
 */
import { isSqs } from '../brokers/address.ts';
import type { OutgoingMessage } from '../brokers/broker.ts';
import { MemoryBroker } from '../brokers/memory/broker.ts';
import type { MemoryQueue } from '../brokers/memory/queue.ts';
import { MAX_DATABASE_DELAY_SECONDS, MAX_DELAY_SECONDS } from '../brokers/rules/limits.ts';
import { nameOfUrl } from '../brokers/rules/queue-name.ts';
import { defaultSettings, readConfig } from '../config/config.ts';
import { Consumer, type ConsumerSettings } from '../consumer/consumer.ts';
import type { HeldMessage } from '../consumer/held-message.ts';
import type { ConsumerObserver } from '../consumer/observer.ts';
import { realHost } from '../host/host.ts';
import { replaceBrokers } from '../producer/connections.ts';
import { Sender } from '../producer/sender.ts';
import type { Backoff } from '../worker/backoff.ts';
import { silentLog } from '../worker/current-message.ts';
import { isFailedAttempt } from '../worker/errors.ts';
import type { OnError, Outcome } from '../worker/outcome.ts';
import {
  createWorker,
  makeWorker,
  type Worker,
  type WorkerConfig,
  type WorkerFactory,
} from '../worker/worker.ts';

/** The options of a container without an ini file. */
export interface TestContainerOptions {
  readonly queue: string;
  /** The worker factory, or a class. Without it, messages stay in the queue. */
  readonly worker?: WorkerFactory<never> | (new (config: WorkerConfig) => object);
  /** The config passed to the factory. Default: empty. */
  readonly config?: WorkerConfig;
  /** What happens to a message if its worker throws anything except a TransientError. Default: `delete`. */
  readonly onError?: OnError;
  /** The queue for failed messages with `onError: 'dead_letter'`. */
  readonly deadLetterQueue?: string;
  /** The delay before a retry. Default: until the visibility timeout ends. */
  readonly backoff?: Backoff;
  /** How many messages are handled at once. Default 1. */
  readonly concurrency?: number;
  /** How long a received message stays invisible, in seconds. Default: the queue's own, 30. */
  readonly visibilityTimeout?: number;
}

/** A message and its result. */
export interface TestedMessage {
  readonly queue: string;
  readonly messageId: string;
  readonly body: string;
  /** How often the message was received, including this time. */
  readonly receiveCount: number;
  /** The error that its worker threw, or why its body is not a valid call. */
  readonly error?: unknown;
}

/** The real timers, captured before a spec can fake them: they wait for promises and a worker's I/O, not for time. */
const { setImmediate: nextTurn, setTimeout: realTimeout, clearTimeout: clearRealTimeout } = globalThis;
/** How long `stop` waits for a worker after its signal aborts, in milliseconds of the real clock. */
const PATIENCE_MS = 1_000;

class TestBroker extends MemoryBroker {
  /** SQS's limit, because production may run there, unless an ini file names another broker. */
  override maxDelaySeconds: number = MAX_DELAY_SECONDS;

  /** SQS queues can also be named by URL; here the last part of the URL is the queue's name. */
  override open(name: string): Promise<MemoryQueue> {
    return super.open(nameOfUrl(name));
  }
}

/** All running containers share one broker, so that a worker can send messages to another container. */
const running = new Set<TestContainer>();
let broker: TestBroker | undefined;
/** The pending `idle` calls. */
const waiting: (() => void)[] = [];

export class TestContainer {
  readonly #queues: readonly MemoryQueue[];
  readonly #consumer: Consumer | undefined;
  readonly #record: TestRecord;
  #run: Promise<unknown> = Promise.resolve();

  /**
   * Starts a container from a production ini file or from objects. From an ini file it uses `[worker]` and the options of
   * `[container]` about the worker, queues and outcomes; it ignores the broker, loggers and exit conditions.
   * Throws ConfigError, ModuleLoadError, WorkerFactoryError.
   */
  static async start(source: string | TestContainerOptions): Promise<TestContainer> {
    broker ??= new TestBroker();
    const shared = broker;
    replaceBrokers(shared);
    try {
      const parts = await (typeof source === 'string' ? fromFile(source, shared) : fromObjects(source));
      const container = await TestContainer.#make(parts, shared);
      running.add(container);
      container.#run = container.#consumer?.run() ?? Promise.resolve();
      return container;
    } finally {
      endIfNoneRuns();
    }
  }

  static async #make({ settings, worker, backoff }: Parts, shared: TestBroker): Promise<TestContainer> {
    const record = new TestRecord(() => {
      for (const resolve of waiting.splice(0)) resolve();
    });
    const queues = await Promise.all(settings.queue.map(({ name }) => shared.open(name)));
    const consumer =
      worker &&
      (await Consumer.open(realHost(shared), settings, { worker, backoff, observers: [record.observer] }));
    return new TestContainer(queues, record, consumer);
  }

  private constructor(queues: readonly MemoryQueue[], record: TestRecord, consumer: Consumer | undefined) {
    this.#queues = queues;
    this.#record = record;
    this.#consumer = consumer;
  }

  /** Messages that were handled and deleted, in order. */
  get deleted(): readonly TestedMessage[] {
    return this.#record.deleted;
  }

  /** Messages to be retried, once for each attempt: TransientErrors, and failures with `on_error = retry`. */
  get kept(): readonly TestedMessage[] {
    return this.#record.kept;
  }

  /** Messages that failed (the worker threw, or the body is not a valid call) and were deleted or dead-lettered. */
  get failed(): readonly TestedMessage[] {
    return this.#record.failed;
  }

  /** The bodies that would be in the messages log in production. */
  get messagesLog(): readonly string[] {
    return this.#record.messagesLog;
  }

  /**
   * Resolves when all visible messages are handled and settled, in every running container; delayed messages and messages
   * in flight until a later retry do not count. If a worker waits for a fake clock, advance the clock meanwhile:
   * `const idle = container.idle(); await clock.tickAsync(1000); await idle;`
   * Rejects with an error that `afterMessage` threw.
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

  /** Sends a message with exactly this body to a queue, as another program would. */
  async send(queue: string, body: string, options: Omit<OutgoingMessage, 'body'> = {}): Promise<string> {
    if (!broker) throw new Error('Cannot send: the test container is stopped.');
    const { messageId } = await new Sender(broker, await broker.open(queue)).send({ ...options, body });
    return messageId;
  }

  /**
   * Stops the container. After the last container stops, its queues are gone and producers use their real brokers again.
   * Aborts the signal of a worker that is still running; rejects if the worker does not return.
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
            `The worker of queue "${this.#queues[0]?.name}" is still running: await idle() before stop(), and advance the fake clock if the worker waits for it.`,
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
    if (!this.#consumer) return true;
    return this.#consumer.held === 0 && this.#queues.every(({ currentCounts: { visible } }) => visible === 0);
  }
}

function endIfNoneRuns(): void {
  if (running.size > 0) return;
  replaceBrokers(undefined);
  broker = undefined;
  for (const resolve of waiting.splice(0)) resolve();
}

/** The parts of a container, from an ini file or from objects. */
interface Parts {
  readonly settings: ConsumerSettings;
  readonly worker: Worker | undefined;
  readonly backoff: Backoff | undefined;
}

/** Waiting gains nothing, because requests in memory cost nothing. */
const AT_ONCE = { settleDelay: 0, drainTimeout: 0 };

async function fromFile(file: string, shared: TestBroker): Promise<Parts> {
  const { container, ...rest } = readConfig(file);
  if (!isSqs(container.broker)) shared.maxDelaySeconds = MAX_DATABASE_DELAY_SECONDS;
  // Queue names are as in the spec's code, without the prefix of any environment.
  const { queuePrefix: _, messageLimit: __, idleExit: ___, ...settings } = container;
  return {
    settings: { ...settings, ...AT_ONCE, concurrency: 1 },
    worker: await makeWorker({ ...rest, container }, silentLog),
    backoff: undefined,
  };
}

async function fromObjects(given: TestContainerOptions): Promise<Parts> {
  const { queue: name, worker, config = {}, backoff } = given;
  const { onError = 'delete', concurrency = 1, visibilityTimeout, deadLetterQueue } = given;
  const context = { directory: process.cwd(), log: silentLog };
  return {
    settings: {
      ...{ ...defaultSettings(), ...AT_ONCE, onError, concurrency, visibilityTimeout, deadLetterQueue },
      queue: [{ name, weight: 1 }],
    },
    worker: worker && (await createWorker(worker, config, `of the queue "${name}"`, context)),
    backoff,
  };
}

/** Records the results of a test container's messages, and reports when the container may be idle. */
class TestRecord {
  readonly deleted: TestedMessage[] = [];
  readonly kept: TestedMessage[] = [];
  readonly failed: TestedMessage[] = [];
  readonly messagesLog: string[] = [];
  /** Errors from the worker's `afterMessage`, which do not belong to any message. */
  readonly mistakes: unknown[] = [];
  /** Observes the run loop. */
  readonly observer: ConsumerObserver;
  readonly #errors = new Map<HeldMessage, unknown>();

  /** Calls `onChange` whenever there may be no work left. */
  constructor(onChange: () => void) {
    this.observer = {
      received: onChange,
      leaseLost: onChange,
      slotFreed: onChange,
      failed: (held, error, { action }) => {
        this.#errors.set(held, isFailedAttempt(error) ? error.cause : error);
        if (action === 'delete') this.messagesLog.push(held.message.body);
      },
      afterMessageFailed: (_, error) => {
        this.mistakes.push(error);
      },
      settled: (held, outcome) => {
        this.#add(held, outcome);
        onChange();
      },
    };
  }

  #add(held: HeldMessage, { action }: Outcome): void {
    const { id: messageId, body, receiveCount } = held.message;
    const hasFailed = this.#errors.has(held);
    const error = this.#errors.get(held);
    this.#errors.delete(held);
    const list = action === 'retry' ? this.kept : hasFailed ? this.failed : this.deleted;
    list.push({ queue: held.queue.name, messageId, body, receiveCount, ...(hasFailed && { error }) });
  }
}
