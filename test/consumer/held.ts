// Messages that a process holds, for the specs of what looks after them.
import { HeldMessage, type Received } from '../../src/consumer/held-message.ts';
import { Leases, type LeasesOptions } from '../../src/consumer/leases.ts';
import { Settler, type SettlerOptions } from '../../src/consumer/settler.ts';
import { Timings } from '../../src/consumer/timings.ts';
import { realMachine } from '../../src/host/host.ts';
import type { FaultyQueue } from '../support/faulty-queue.ts';

/** A message that was just received, by this body; it has that as its id, too. */
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

/** The leases of a queue, of 30 s unless a spec says otherwise. */
export function leasesOf(queue: FaultyQueue, options: Partial<LeasesOptions> = {}): Leases {
  return new Leases({
    ...{ queue, visibilityTimeout: 30, observer: {}, machine: realMachine, onLost: () => {} },
    ...options,
  });
}

/** A settler that collects outcomes for 100 ms, has no dead-letter queue and does not drain, unless a spec says otherwise. */
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
 * Receives up to ten messages for so many seconds, has leases look after them, and starts their workers; forgets the
 * calls so far.
 */
export async function hold(queue: FaultyQueue, leases: Leases, seconds: number): Promise<HeldMessage[]> {
  const received = await receive(queue, leases, seconds);
  for (const held of received) held.start(performance.now());
  return received;
}

/** The same for messages that wait for their turn. */
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
