/** What the contract specs need from a broker, and the queues they create in it. */
import type { Broker, CreateOptions, Queue } from '../brokers/broker.ts';

export interface BrokerUnderTest {
  readonly broker: Broker;
  /** Opens another instance on the same queues; `stop` closes it. Omit it if there can be only one instance. */
  readonly secondBroker?: () => Promise<Broker>;
  /** Advances time by `seconds`, or slightly more, for example on a fake clock. Default: sleeps. */
  readonly advance?: (seconds: number) => Promise<void>;
}

/** Known differences between brokers. */
export interface Traits {
  /** The broker has FIFO queues. If false, it must refuse names that end in `.fifo`. Default true. */
  readonly fifo?: boolean;
  /** One receive can return several messages from a FIFO group: true for SQS; the emulator returns one. Default true. */
  readonly severalOfAGroup?: boolean;
  /** A standard queue keeps the message group: true for SQS (fair queues); the emulator drops it. Default true. */
  readonly fairQueues?: boolean;
  /**
   * A delete fails if the receipt handle is invalid or its message was received again. The SQS emulator accepts it.
   * Default true.
   */
  readonly refusesBadReceipts?: boolean;
  /** A delay above `maxDelaySeconds` fails. The SQS emulator accepts it. Default true. */
  readonly refusesLongDelays?: boolean;
  /** The receive count restarts at 1 in the dead-letter queue. The SQS emulator keeps counting. Default true. */
  readonly countsDeadLettersAnew?: boolean;
  /** Control characters in a body are preserved. SQS refuses those below U+0020. Default true. */
  readonly controlCharacters?: boolean;
  /** Characters above U+FFFF, such as emoji, are preserved: true for SQS; the emulator refuses them. Default true. */
  readonly astralCharacters?: boolean;
  /** A dead-letter queue can list its source queues: true for SQS; the emulator lacks this request. Default true. */
  readonly listsSources?: boolean;
  /** `advance` can skip five minutes (on a fake clock). Default false. */
  readonly passesMinutes?: boolean;
}

const DEFAULT_TRAITS: Required<Traits> = {
  fifo: true,
  severalOfAGroup: true,
  fairQueues: true,
  refusesBadReceipts: true,
  refusesLongDelays: true,
  countsDeadLettersAnew: true,
  controlCharacters: true,
  astralCharacters: true,
  listsSources: true,
  passesMinutes: false,
};

export function completeTraits(traits: Traits): Required<Traits> {
  return { ...DEFAULT_TRAITS, ...traits };
}

/** Returns the broker under test. Call it inside specs only: the broker starts after the specs are defined. */
export type UnderTest = () => Required<Pick<BrokerUnderTest, 'advance'>> & BrokerUnderTest;

/** Extra wait: timers may fire late, and a server's clock may round differently. */
const LATENESS_MS = 50;

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000 + LATENESS_MS));
}

let queuesMade = 0;

/** A name that no other spec uses, in this run or any other: a server may still have queues from earlier runs. */
export function freshName(suffix = ''): string {
  queuesMade += 1;
  return `contract-${Date.now().toString(36)}-${process.pid}-${queuesMade}${suffix}`;
}

/** Creates an empty queue. */
export function freshQueue(under: BrokerUnderTest, options?: CreateOptions): Promise<Queue> {
  return make(under, freshName(), options);
}

/** Creates an empty FIFO queue. */
export function freshFifoQueue(under: BrokerUnderTest, options?: CreateOptions): Promise<Queue> {
  return make(under, freshName('.fifo'), options);
}

async function make({ broker }: BrokerUnderTest, name: string, options?: CreateOptions): Promise<Queue> {
  await broker.create(name, options);
  return broker.open(name);
}

/** The queue, plus the same queue opened through a second broker if possible: for independent consumers. */
export async function openedTwice(under: BrokerUnderTest, queue: Queue): Promise<Queue[]> {
  const second = await under.secondBroker?.();
  return second ? [queue, await second.open(queue.name)] : [queue];
}
