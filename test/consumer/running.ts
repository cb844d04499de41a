// Runs a consumer on memory queues under sinon's fake clock, for the specs of the run loop.
import type { Message, Queue } from '../../src/brokers/broker.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { defaultSettings } from '../../src/config/config.ts';
import {
  Consumer,
  type ConsumerParts,
  type ConsumerSettings,
  type WeightedQueue,
} from '../../src/consumer/consumer.ts';
import type { ConsumerObserver } from '../../src/consumer/observer.ts';
import type { Worker } from '../../src/worker/worker.ts';
import { blockableMachine } from '../support/blockable-machine.ts';
import { FaultyQueue } from '../support/faulty-queue.ts';

/** Captured before a spec fakes the clock. */
const nextTurn = globalThis.setImmediate;

interface RunningConsumer {
  readonly consumer: Consumer;
  readonly run: ReturnType<Consumer['run']>;
  /** The bodies handled, in the order of their start. */
  readonly started: string[];
}

export interface Running extends RunningConsumer {
  readonly queue: FaultyQueue;
  send(...bodies: string[]): Promise<void>;
}

export interface RunningOnSeveral extends RunningConsumer {
  readonly queues: readonly FaultyQueue[];
}

export const defaults: ConsumerSettings = {
  ...defaultSettings(),
  ...{ concurrency: 1, poll: 20, visibilityTimeout: 30, settleDelay: 100 },
};

/** Settings that differ from the defaults. `deadLetterQueue` is a queue; its name goes into the settings. */
export type SpecOptions = Partial<Omit<ConsumerSettings, 'queue' | 'backoff' | 'deadLetterQueue'>> &
  Partial<Pick<ConsumerParts, 'backoff' | 'crashRecord' | 'logOf' | 'sharesMessageLimit'>> & {
    readonly deadLetterQueue?: Queue;
  };

type Handle = (message: Message) => void | Promise<void>;

export interface Share {
  readonly name: string;
  /** Default 1. */
  readonly weight?: number;
  readonly bodies?: readonly string[];
  /** Whether the messages have already been received once. Default false. */
  readonly receivedBefore?: boolean;
  /** How long a receive that finds messages takes, in milliseconds. Default 0. */
  readonly receiveMs?: number;
}

/** Starts a consumer whose worker is `handle`; `name` ends in `.fifo` for a FIFO queue. */
export async function running(
  handle: Handle,
  options: SpecOptions = {},
  {
    name = 'work',
    bodies = [] as readonly string[],
    receivedBefore = false,
    observer = {} as ConsumerObserver,
  } = {},
): Promise<Running> {
  const shares = [{ name, bodies, receivedBefore }];
  const { queues, ...rest } = await runningOnSeveral(shares, handle, options, observer);
  const [queue] = queues as [FaultyQueue];
  return { queue, send: (...more) => sendTo(queue, more), ...rest };
}

/** Starts a consumer with several queues. */
export async function runningOnSeveral(
  shares: readonly Share[],
  handle: Handle,
  options: SpecOptions = {},
  observer: ConsumerObserver = {},
): Promise<RunningOnSeveral> {
  const queues = await Promise.all(shares.map(({ name, bodies }) => faultyQueue(name, bodies)));
  for (const [index, { receiveMs, receivedBefore }] of shares.entries()) {
    if (receiveMs !== undefined) queues[index]!.always.receive = { milliseconds: receiveMs };
    if (receivedBefore) await queues[index]!.receiveAndReturn();
  }
  const started: string[] = [];
  const worker = {
    handleMessage(message: Message) {
      started.push(message.body);
      return handle(message);
    },
  };
  const weighted = shares.map(({ weight = 1 }, index) => ({ queue: queues[index]!, weight }));
  const consumer = await openConsumer(weighted, worker, options, observer);
  return { queues, consumer, started, run: consumer.run() };
}

/** A consumer for these queues, which its broker opens by name. */
export function openConsumer(
  queues: readonly WeightedQueue[],
  worker: Worker,
  options: SpecOptions = {},
  ...observers: readonly ConsumerObserver[]
): Promise<Consumer> {
  const { backoff, crashRecord, logOf, sharesMessageLimit, deadLetterQueue, ...settings } = options;
  const all = [...queues.map(({ queue }) => queue), ...(deadLetterQueue ? [deadLetterQueue] : [])];
  const broker = { open: async (name: string) => all.find((queue) => queue.name === name)! };
  return Consumer.open(
    { ...blockableMachine, broker },
    {
      ...{ ...defaults, ...settings, deadLetterQueue: deadLetterQueue?.name },
      queue: queues.map(({ queue: { name }, weight }) => ({ name, weight })),
    },
    {
      ...{ worker, backoff, crashRecord, observers },
      ...(logOf && { logOf }),
      ...(sharesMessageLimit !== undefined && { sharesMessageLimit }),
    },
  );
}

/** A queue with messages, on its own broker. */
export async function faultyQueue(name: string, bodies: readonly string[] = []): Promise<FaultyQueue> {
  const queue = new FaultyQueue(await new MemoryBroker().open(name));
  await sendTo(queue, bodies);
  return queue;
}

/** Sends messages; on a FIFO queue the first letter of a body is its group. */
export async function sendTo(queue: FaultyQueue, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) {
    await queue.send([queue.fifo ? { body, groupId: body.slice(0, 1), deduplicationId: body } : { body }]);
  }
}

/** Receives everything visible, at most ten per queue, to see what is left. */
export async function bodiesIn(queue: FaultyQueue): Promise<string[]> {
  const messages = await queue.receive({ max: 10, waitSeconds: 0 });
  return messages.map(({ body }) => body);
}

/** Bodies `a0`, `a1` and so on. */
export function bodiesOf(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index}`);
}

/** Runs everything that does not wait for a timer. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => nextTurn(resolve));
}
