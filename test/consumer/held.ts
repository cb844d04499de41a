// Held messages, for the specs of the classes that work on them.
import { HeldMessage, type Received } from '../../src/consumer/held-message.ts';
import { Leases, type LeasesOptions } from '../../src/consumer/leases.ts';
import { Settler, type SettlerOptions } from '../../src/consumer/settler.ts';
import { Timings } from '../../src/consumer/timings.ts';
import { realMachine } from '../../src/host/host.ts';
import type { FaultyQueue } from '../support/faulty-queue.ts';

/** A message just received, with this string as its body and id. */
export function heldMessage(body: string, received: Partial<Received> = {}): HeldMessage {
  return new HeldMessage({
    message: { id: body, body, receiptHandle: body, receiveCount: 1, attributes: {}, sentAt: 0 },
    queue: { name: 'work', fifo: false },
    group: undefined,
    crashes: 0,
    receivedAt: 0,
    leaseEndsAt: 30_000,
    ...received,
  });
}

/** The leases of a queue; 30 s by default. */
export function leasesOf(queue: FaultyQueue, options: Partial<LeasesOptions> = {}): Leases {
  return new Leases({
    ...{ queue, visibilityTimeout: 30, observer: {}, machine: realMachine, onLost: () => {} },
    ...options,
  });
}

/** A settler. By default it batches outcomes for 100 ms, has no dead-letter queue and does not drain. */
export function settlerOf(
  queue: FaultyQueue,
  leases: Leases,
  options: Partial<SettlerOptions> = {},
): Settler {
  return new Settler({
    ...{ queue, leases, observer: {}, settings: { settleDelay: 100 }, deadLetterQueue: undefined },
    ...{ timings: new Timings(), machine: realMachine, draining: new AbortController().signal },
    ...options,
  });
}

/**
 * Receives up to ten messages for this many seconds, puts them under the leases, and starts their workers. Clears the
 * recorded calls.
 */
export async function hold(queue: FaultyQueue, leases: Leases, seconds: number): Promise<HeldMessage[]> {
  const received = await receive(queue, leases, seconds);
  for (const held of received) held.start(performance.now());
  return received;
}

/** The same for messages that have not started. */
export async function receive(queue: FaultyQueue, leases: Leases, seconds: number): Promise<HeldMessage[]> {
  const messages = await queue.receive({ max: 10, waitSeconds: 0, visibilityTimeout: seconds });
  queue.calls.length = 0;
  const receivedAt = performance.now();
  return messages.map((message) => {
    const held = heldMessage('', { message, receivedAt, leaseEndsAt: receivedAt + seconds * 1000 });
    leases.hold(held);
    return held;
  });
}
