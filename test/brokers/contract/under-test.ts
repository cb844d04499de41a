/** What the contract's specs need of a broker, and the few steps that most of them share. */
import { expect } from 'chai';
import type {
  Broker,
  CreateOptions,
  EntryResult,
  Message,
  OutgoingMessage,
  Queue,
  SendResult,
} from '../../../src/brokers/broker.ts';

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

export type UnderTest = () => BrokerUnderTest;

let queuesMade = 0;

/** A name that no other spec uses. */
export function freshName(suffix = ''): string {
  queuesMade += 1;
  return `contract-${process.pid}-${queuesMade}${suffix}`;
}

/** A new, empty queue. */
export async function freshQueue({ broker }: BrokerUnderTest, options?: CreateOptions): Promise<Queue> {
  const name = freshName();
  await broker.create(name, options);
  return broker.open(name);
}

/** A new, empty FIFO queue. */
export async function freshFifoQueue({ broker }: BrokerUnderTest, options?: CreateOptions): Promise<Queue> {
  const name = freshName('.fifo');
  await broker.create(name, options);
  return broker.open(name);
}

/** Sends messages, all of which must be accepted. */
export async function send(
  queue: Queue,
  ...messages: readonly (string | OutgoingMessage)[]
): Promise<(SendResult & { ok: true })[]> {
  const results = await queue.send(messages.map((one) => (typeof one === 'string' ? { body: one } : one)));
  return results.map((result) => {
    if (!result.ok) expect.fail(`not sent: ${result.code}: ${result.message}`);
    return result;
  });
}

/** Sends messages of one group to a FIFO queue. */
export async function sendToGroup(queue: Queue, groupId: string, ...bodies: readonly string[]) {
  return send(queue, ...bodies.map((body) => ({ body, groupId, deduplicationId: `${groupId}/${body}` })));
}

/** The one message that can be received now. */
export async function receiveOne(queue: Queue, visibilityTimeout = 30): Promise<Message> {
  const messages = await receiveNow(queue, 10, visibilityTimeout);
  expect(bodies(messages), 'messages received').to.have.length(1);
  return messages[0]!;
}

/** What one receive hands out without waiting. */
export function receiveNow(queue: Queue, max = 10, visibilityTimeout = 30): Promise<Message[]> {
  return queue.receive({ max, waitSeconds: 0, visibilityTimeout });
}

/** Everything that can be received now: receives until nothing comes. */
export async function receiveAll(queue: Queue, visibilityTimeout = 30): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const messages = await receiveNow(queue, 10, visibilityTimeout);
    if (messages.length === 0) return all;
    all.push(...messages);
  }
}

export function bodies(messages: readonly Message[]): string[] {
  return messages.map(({ body }) => body);
}

/** The bodies without their order: standard queues of SQS promise none. */
export function sortedBodies(messages: readonly Message[]): string[] {
  return bodies(messages).sort();
}

export function expectOk(results: readonly EntryResult[]): void {
  for (const result of results) expect(result).to.deep.equal({ ok: true });
}

/** Checks that an entry failed for good, in a way that people can read. */
export function expectRefused(result: EntryResult | SendResult | undefined): void {
  if (!result || result.ok) expect.fail('The entry was accepted.');
  expect(result.retryable, 'retryable').to.equal(false);
  expect(result.code).to.match(/^[\w.]+$/);
  expect(result.message).to.have.length.above(10);
}

/** A call's value, and how long it took on the clock of the specs, in milliseconds. */
export async function timed<Value>(call: Promise<Value>): Promise<[value: Value, milliseconds: number]> {
  const started = Date.now();
  const value = await call;
  return [value, Date.now() - started];
}
