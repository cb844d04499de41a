/** Sends, receives and checks as most specs of the contract do. */
import { expect } from 'chai';
import type { EntryResult, Message, OutgoingMessage, Queue, SendResult } from '../brokers/broker.ts';
import { BrokerError } from '../brokers/errors.ts';

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

/** The same, deleting what was received: up to `max` messages at once. */
export async function receiveAndDeleteAll(queue: Queue, max = 10): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const messages = await receiveNow(queue, max);
    if (messages.length === 0) return all;
    all.push(...messages);
    expectOk(await queue.delete(messages.map(({ receiptHandle }) => receiptHandle)));
  }
}

/** Makes received messages visible again at once. */
export async function giveBack(queue: Queue, ...messages: readonly Message[]): Promise<void> {
  expectOk(
    await queue.changeVisibility(messages.map(({ receiptHandle }) => ({ receiptHandle, seconds: 0 }))),
  );
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

/** The BrokerError that a call must be rejected with. */
export async function brokerError(call: Promise<unknown>): Promise<BrokerError> {
  const reason = await call.then(
    () => expect.fail('It was no error.'),
    (error: unknown) => error,
  );
  expect(reason).to.be.instanceOf(BrokerError);
  return reason as BrokerError;
}

/** Checks that an entry failed for good, in a way that people can read. */
export function expectRefused(result: EntryResult | SendResult | undefined): void {
  if (!result || result.ok) expect.fail('The entry was accepted.');
  expect(result.retryable, 'retryable').to.equal(false);
  expect(result.code).to.match(/^[\w.]+$/);
  expect(result.message).to.have.length.above(10);
}
