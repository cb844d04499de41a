/** What the contract's specs need of a broker, and the queues that they make in it. */
import type { Broker, CreateOptions, Queue } from '../../../src/brokers/broker.ts';

export interface BrokerUnderTest {
  readonly broker: Broker;
  /** Lets so many seconds pass: sleeps (a little longer), or moves a fake clock. */
  readonly advance: (seconds: number) => Promise<void>;
  /** Another instance on the same queues, closed by `stop`. Left out where there can be only one. */
  readonly secondBroker?: () => Promise<Broker>;
}

export interface Traits {
  /** Opening a queue that does not exist makes it: true for the embedded brokers, false for SQS. */
  readonly makesQueues: boolean;
  /** One receive hands out several messages of a FIFO group: true for SQS; its emulator hands out one. */
  readonly severalOfAGroup: boolean;
  /** A standard queue gives back the message group: true for SQS (fair queues); its emulator drops it. */
  readonly fairQueues: boolean;
  /** A delete fails for a handle that never was one, or whose message was received again. SQS's emulator says ok. */
  readonly refusesBadReceipts: boolean;
  /** A delay above `maxDelaySeconds` fails. SQS's emulator takes it. */
  readonly refusesLongDelays: boolean;
  /** A message in the dead-letter queue is counted from 1 again. SQS's emulator counts on. */
  readonly countsDeadLettersAnew: boolean;
  /** Control characters in a body are kept: true for the embedded brokers; SQS refuses those below U+0020. */
  readonly controlCharacters: boolean;
  /** Characters beyond U+FFFF, such as emoji, are kept: true for SQS; its emulator refuses them. */
  readonly astralCharacters: boolean;
  /** A receive that was aborted takes nothing: SQS's emulator polls on for a client that has gone. */
  readonly forgetsAbortedReceives: boolean;
  /** Five minutes can pass in a spec (on a fake clock). */
  readonly passesMinutes: boolean;
}

/** What the embedded brokers have in common. */
export const EMBEDDED_TRAITS = {
  makesQueues: true,
  severalOfAGroup: true,
  fairQueues: true,
  refusesBadReceipts: true,
  refusesLongDelays: true,
  countsDeadLettersAnew: true,
  controlCharacters: true,
  astralCharacters: true,
  forgetsAbortedReceives: true,
} as const satisfies Partial<Traits>;

export type UnderTest = () => BrokerUnderTest;

let queuesMade = 0;

/** A name that no other spec uses. */
export function freshName(suffix = ''): string {
  queuesMade += 1;
  return `contract-${process.pid}-${queuesMade}${suffix}`;
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
