/** What the contract's specs need of a broker, and the queues that they make in it. */
import type { Broker, CreateOptions, Queue } from '../brokers/broker.ts';

export interface BrokerUnderTest {
  readonly broker: Broker;
  /** Another instance on the same queues, closed by `stop`. Left out where there can be only one. */
  readonly secondBroker?: () => Promise<Broker>;
  /** Lets so many seconds pass, a little longer at most: moves a fake clock. Default: sleeps. */
  readonly advance?: (seconds: number) => Promise<void>;
}

/** What is known to differ between brokers. */
export interface Traits {
  /** There are FIFO queues. Without them, a name that ends in `.fifo` is refused. Default true. */
  readonly fifo?: boolean;
  /** One receive hands out several messages of a FIFO group: true for SQS; its emulator hands out one. Default true. */
  readonly severalOfAGroup?: boolean;
  /** A standard queue gives back the message group: true for SQS (fair queues); its emulator drops it. Default true. */
  readonly fairQueues?: boolean;
  /**
   * A delete fails for a handle that never was one, or whose message was received again. SQS's emulator says ok.
   * Default true.
   */
  readonly refusesBadReceipts?: boolean;
  /** A delay above `maxDelaySeconds` fails. SQS's emulator takes it. Default true. */
  readonly refusesLongDelays?: boolean;
  /** A message in the dead-letter queue is counted from 1 again. SQS's emulator counts on. Default true. */
  readonly countsDeadLettersAnew?: boolean;
  /** Control characters in a body are kept. SQS refuses those below U+0020. Default true. */
  readonly controlCharacters?: boolean;
  /** Characters beyond U+FFFF, such as emoji, are kept: true for SQS; its emulator refuses them. Default true. */
  readonly astralCharacters?: boolean;
  /** A dead-letter queue knows whose it is: true for SQS; its emulator has no such request. Default true. */
  readonly listsSources?: boolean;
  /** Five minutes can pass in a spec (on a fake clock). Default false. */
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

/** The broker under test, once it is started: specs are described before that. */
export type UnderTest = () => Required<Pick<BrokerUnderTest, 'advance'>> & BrokerUnderTest;

/** A clock may be late, and a server's may tick in milliseconds of its own. */
const LATENESS_MS = 50;

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000 + LATENESS_MS));
}

let queuesMade = 0;

/** A name that no other spec uses, in this run or another one: a server may keep the queues of earlier runs. */
export function freshName(suffix = ''): string {
  queuesMade += 1;
  return `contract-${Date.now().toString(36)}-${process.pid}-${queuesMade}${suffix}`;
}

/** A new, empty queue. */
export function freshQueue(under: BrokerUnderTest, options?: CreateOptions): Promise<Queue> {
  return make(under, freshName(), options);
}

/** A new, empty FIFO queue. */
export function freshFifoQueue(under: BrokerUnderTest, options?: CreateOptions): Promise<Queue> {
  return make(under, freshName('.fifo'), options);
}

async function make({ broker }: BrokerUnderTest, name: string, options?: CreateOptions): Promise<Queue> {
  await broker.create(name, options);
  return broker.open(name);
}

/** The queue, and itself opened by a second broker if there can be one: for consumers that know nothing of each other. */
export async function openedTwice(under: BrokerUnderTest, queue: Queue): Promise<Queue[]> {
  const second = await under.secondBroker?.();
  return second ? [queue, await second.open(queue.name)] : [queue];
}
