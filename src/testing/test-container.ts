/**
 * The test container (zc.sqs's idea): a spec runs the code and the ini file of production on queues in memory. Calls of
 * `queue(…)` anywhere in the process go there for as long as a test container runs. Nothing sleeps and nothing touches
 * the network; visibility timeouts and delays follow the clock, so a fake one drives them.
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

/** A container made of objects instead of an ini file. */
export interface TestContainerOptions {
  readonly queue: string;
  /** The worker factory, or a class; left out: the messages stay in the queue. */
  readonly worker?: WorkerFactory<never> | (new (config: WorkerConfig) => object);
  /** What the factory gets. Default: nothing. */
  readonly config?: WorkerConfig;
  /** What becomes of a message whose worker throws something other than a TransientError. Default: `delete`. */
  readonly onError?: OnError;
  /** Where messages go with `onError: 'dead_letter'`. */
  readonly deadLetterQueue?: string;
  /** When messages come back that are retried. Default: when their visibility timeout ends. */
  readonly backoff?: Backoff;
  /** How many messages are handled at once. Default 1. */
  readonly concurrency?: number;
  /** Seconds for which a received message stays invisible. Default: the queue's own, 30. */
  readonly visibilityTimeout?: number;
}

/** A message, and what became of it. */
export interface TestedMessage {
  readonly queue: string;
  readonly messageId: string;
  readonly body: string;
  /** How often the message was received, this time included. */
  readonly receiveCount: number;
  /** What its worker threw, or why its body is no call. */
  readonly error?: unknown;
}

/** Kept from before a spec fakes the clock: these wait for promises and for a worker's I/O, not for a time. */
const { setImmediate: nextTurn, setTimeout: realTimeout, clearTimeout: clearRealTimeout } = globalThis;
/** How long `stop` waits for a worker whose signal has aborted, in milliseconds of the real clock. */
const PATIENCE_MS = 1_000;

class TestBroker extends MemoryBroker {
  /** SQS's limit, for specs of what will run there, until an ini file names another broker. */
  override maxDelaySeconds: number = MAX_DELAY_SECONDS;

  /** SQS names queues by URL, too; here these are the queues of the last part. */
  override open(name: string): Promise<MemoryQueue> {
    return super.open(nameOfUrl(name));
  }
}

/** The containers that run share one broker, so that the workers of one can send to another. */
const running = new Set<TestContainer>();
let broker: TestBroker | undefined;
/** Those who wait in `idle`. */
const waiting: (() => void)[] = [];

export class TestContainer {
  readonly #queues: readonly MemoryQueue[];
  readonly #consumer: Consumer | undefined;
  readonly #record: TestRecord;
  #run: Promise<unknown> = Promise.resolve();

  /**
   * Starts a container from an ini file of production, or from objects. Of an ini file, `[worker]` and what
   * `[container]` says of worker, queue and outcomes counts; brokers, logs and exits are those of a spec.
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

  /** Handled and deleted, in this order. */
  get deleted(): readonly TestedMessage[] {
    return this.#record.deleted;
  }

  /** Left to come back, each time: TransientErrors, and failures with `on_error = retry`. */
  get kept(): readonly TestedMessage[] {
    return this.#record.kept;
  }

  /** Failed for good (a worker threw, or a body was no call), and deleted or sent to the dead-letter queue. */
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
            `The worker of the queue "${this.#queues[0]?.name}" is still running: wait with idle() before stop(), and advance a fake clock that it waits for.`,
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

/** What the containers are made of: from an ini file, or from objects. */
interface Parts {
  readonly settings: ConsumerSettings;
  readonly worker: Worker | undefined;
  readonly backoff: Backoff | undefined;
}

/** Nothing is gained by waiting where a request costs nothing. */
const AT_ONCE = { settleDelay: 0, drainTimeout: 0 };

async function fromFile(file: string, shared: TestBroker): Promise<Parts> {
  const { container, ...rest } = readConfig(file);
  if (!isSqs(container.broker)) shared.maxDelaySeconds = MAX_DATABASE_DELAY_SECONDS;
  // Names are what the spec's code has, whatever environment production adds to them.
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

/** What became of the messages of a test container, from its run loop, and when that may be all. */
class TestRecord {
  readonly deleted: TestedMessage[] = [];
  readonly kept: TestedMessage[] = [];
  readonly failed: TestedMessage[] = [];
  readonly messagesLog: string[] = [];
  /** What the worker's `afterMessage` threw, which is no message's fault. */
  readonly mistakes: unknown[] = [];
  /** Listens to the run loop. */
  readonly observer: ConsumerObserver;
  readonly #errors = new Map<HeldMessage, unknown>();

  /** `onChange` is called whenever there may be nothing left to do. */
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
