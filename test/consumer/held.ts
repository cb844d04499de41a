// Messages that a process holds and runs the workers of, for the specs of what looks after them.
import { Delivery } from '../../src/consumer/delivery.ts';
import type { Leases } from '../../src/consumer/leases.ts';
import type { Source } from '../../src/consumer/source.ts';
import type { FaultyQueue } from '../support/faulty-queue.ts';

/** Receives up to ten messages for so many seconds, and has leases look after them; forgets the calls so far. */
export async function hold(queue: FaultyQueue, leases: Leases, seconds: number): Promise<Delivery[]> {
  const source = { queue, leases } as unknown as Source;
  const messages = await queue.receive({ max: 10, waitSeconds: 0, visibilityTimeout: seconds });
  queue.calls.length = 0;
  const receivedAt = performance.now();
  return messages.map((message) => {
    const leaseEndsAt = receivedAt + seconds * 1000;
    const delivery = new Delivery({ message, source, group: undefined, crashes: 0, receivedAt, leaseEndsAt });
    leases.hold(delivery);
    delivery.phase = 'running';
    return delivery;
  });
}
