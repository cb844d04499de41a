/** Sends, receives and assertions that most contract specs share. */
import { expect } from 'chai';
import type { EntryResult, Message, OutgoingMessage, Queue, SendResult } from '../brokers/broker.ts';
import { BrokerError } from '../brokers/errors.ts';

/** Sends messages and expects the broker to accept all of them. */
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

/** Sends messages to a FIFO queue, all in one message group. */
export async function sendToGroup(queue: Queue, groupId: string, ...bodies: readonly string[]) {
  return send(queue, ...bodies.map((body) => ({ body, groupId, deduplicationId: `${groupId}/${body}` })));
}

/** Receives now, without waiting, and expects exactly one message. */
export async function receiveOne(queue: Queue, visibilityTimeout = 30): Promise<Message> {
  const messages = await receiveNow(queue, 10, visibilityTimeout);
  expect(bodies(messages), 'messages received').to.have.length(1);
  return messages[0]!;
}

/** Receives once, without waiting. */
export function receiveNow(queue: Queue, max = 10, visibilityTimeout = 30): Promise<Message[]> {
  return queue.receive({ max, waitSeconds: 0, visibilityTimeout });
}

/** Receives without waiting until no message is left. */
export async function receiveAll(queue: Queue, visibilityTimeout = 30): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const messages = await receiveNow(queue, 10, visibilityTimeout);
    if (messages.length === 0) return all;
    all.push(...messages);
  }
}

/** Receives and deletes, up to `max` messages at a time, until no message is left. */
export async function receiveAndDeleteAll(queue: Queue, max = 10): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const messages = await receiveNow(queue, max);
    if (messages.length === 0) return all;
    all.push(...messages);
    expectOk(await queue.delete(messages.map(({ receiptHandle }) => receiptHandle)));
  }
}

/** Makes received messages visible again immediately. */
export async function makeVisible(queue: Queue, ...messages: readonly Message[]): Promise<void> {
  expectOk(
    await queue.changeVisibility(messages.map(({ receiptHandle }) => ({ receiptHandle, seconds: 0 }))),
  );
}

export function bodies(messages: readonly Message[]): string[] {
  return messages.map(({ body }) => body);
}

/** The bodies, sorted: SQS standard queues do not guarantee an order. */
export function sortedBodies(messages: readonly Message[]): string[] {
  return bodies(messages).sort();
}

export function expectOk(results: readonly EntryResult[]): void {
  for (const result of results) expect(result).to.deep.equal({ ok: true });
}

/** Expects a call to reject with a BrokerError, and returns the error. */
export async function brokerError(call: Promise<unknown>): Promise<BrokerError> {
  const reason = await call.then(
    () => expect.fail('the call did not fail'),
    (error: unknown) => error,
  );
  expect(reason).to.be.instanceOf(BrokerError);
  return reason as BrokerError;
}

/** Expects an entry to have failed permanently, with a readable message. */
export function expectRefused(result: EntryResult | SendResult | undefined): void {
  if (!result || result.ok) expect.fail('the entry was accepted');
  expect(result.retryable, 'retryable').to.equal(false);
  expect(result.code).to.match(/^[\w.]+$/);
  expect(result.message).to.have.length.above(10);
}
