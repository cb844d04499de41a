// Runs a consumer on memory queues under sinon's fake clock, for the specs of the run loop.
import type sinon from 'sinon';
import type { Message } from '../../src/brokers/broker.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { Consumer, type ConsumerOptions } from '../../src/consumer/consumer.ts';
import type { ConsumerObserver } from '../../src/consumer/observer.ts';
import { FaultyQueue } from '../support/faulty-queue.ts';

/** Kept from before a spec fakes the clock. */
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

export const defaults: ConsumerOptions = {
  slots: 1,
  waitSeconds: 20,
  visibilityTimeout: 30,
  settleDelayMs: 100,
  onError: 'delete',
  drainTimeout: 30,
};

type Handle = (message: Message) => void | Promise<void>;

export interface Share {
  readonly name: string;
  /** Default 1. */
  readonly weight?: number;
  readonly bodies?: readonly string[];
  /** Whether the messages were received once already. Default: not. */
  readonly receivedBefore?: boolean;
  /** How long a receive takes that finds messages, in milliseconds. Default 0. */
  readonly receiveMs?: number;
}

/** Starts a consumer whose worker is `handle`; `name` ends in `.fifo` for a FIFO queue. */
export async function running(
  handle: Handle,
  options: Partial<ConsumerOptions> = {},
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

/** Starts a consumer that works on several queues. */
export async function runningOnSeveral(
  shares: readonly Share[],
  handle: Handle,
  options: Partial<ConsumerOptions> = {},
  observer: ConsumerObserver = {},
): Promise<RunningOnSeveral> {
  const queues = await Promise.all(shares.map(({ name, bodies }) => faultyQueue(name, bodies)));
  for (const [index, { receiveMs, receivedBefore }] of shares.entries()) {
    if (receiveMs !== undefined) queues[index]!.always.receive = { milliseconds: receiveMs };
    if (receivedBefore) await queues[index]!.receiveAndGiveBack();
  }
  const started: string[] = [];
  const worker = {
    handleMessage(message: Message) {
      started.push(message.body);
      return handle(message);
    },
  };
  const weighted = shares.map(({ weight = 1 }, index) => ({ queue: queues[index]!, weight }));
  const consumer = new Consumer(weighted, worker, { ...defaults, ...options }, observer);
  return { queues, consumer, started, run: consumer.run() };
}

/** A queue of its own broker, with messages in it. */
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

/** Receives everything visible, for a look at what is left; ten of a queue at most. */
export async function bodiesIn(queue: FaultyQueue): Promise<string[]> {
  const messages = await queue.receive({ max: 10, waitSeconds: 0 });
  return messages.map(({ body }) => body);
}

/** Bodies `a0`, `a1` and so on. */
export function bodiesOf(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index}`);
}

/** Lets time pass as a worker does that blocks its process: no timer fires before it returns. */
export function block(clock: sinon.SinonFakeTimers, milliseconds: number): void {
  const { timers } = clock as unknown as { timers?: Map<number, { callAt: number }> };
  clock.now += milliseconds;
  for (const timer of timers?.values() ?? []) timer.callAt = Math.max(timer.callAt, clock.now);
}

/** Lets everything that waits for no timer happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => nextTurn(resolve));
}
