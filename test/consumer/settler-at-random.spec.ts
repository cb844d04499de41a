// Random settlers and leases: whichever requests fail, each outcome counts once or its lease is lost, and no request
// is made for a message that another process may have, except to delete a handled one.
import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import type { Queue } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import type { HeldMessage } from '../../src/consumer/held-message.ts';
import type { Outcome } from '../../src/worker/outcome.ts';
import { type Fault, FaultyQueue, refused } from '../support/faulty-queue.ts';
import { heldMessage, leasesOf, settlerOf } from './held.ts';

interface Run {
  readonly visibilityTimeout: number;
  readonly settleDelay: number;
  /** The outcome of each message, and after how many milliseconds it comes. */
  readonly messages: readonly { readonly outcome: Outcome; readonly afterMs: number }[];
  readonly faults: Readonly<Record<'delete' | 'changeVisibility' | 'send', readonly Fault[]>>;
}

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ action: 'delete' as const }) },
  fc.constant({ action: 'bury' as const }),
  fc.constant({ action: 'retry' as const }),
  fc.record({ action: fc.constant('retry' as const), delaySeconds: fc.nat(20) }),
);
const temporary: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ milliseconds: fc.nat(1_000) }),
  fc.record({ error: fc.constant(new BrokerError('unreachable', 'down')), worked: fc.boolean() }),
  fc.nat(2).map((of) => ({
    entries: (_: string, index: number) => (index % 3 === of ? refused('Throttled', true) : undefined),
  })),
);
const forGood: Fault = { entries: (_, index) => (index % 3 === 0 ? refused('Refused', false) : undefined) };
const faults = (fault: fc.Arbitrary<Fault>) => {
  const list = fc.array(fault, { maxLength: 8 });
  return fc.record({ delete: list, changeVisibility: list, send: list });
};
const run = (ofFaults: fc.Arbitrary<Run['faults']>, afterMs: fc.Arbitrary<number>): fc.Arbitrary<Run> =>
  fc.record({
    visibilityTimeout: fc.constantFrom(2, 5, 30),
    settleDelay: fc.constantFrom(0, 100),
    messages: fc.array(fc.record({ outcome, afterMs }), { minLength: 1, maxLength: 25 }),
    faults: ofFaults,
  });

describe('settler and leases, at random', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  async function play({ visibilityTimeout, settleDelay, messages, faults }: Run) {
    const broker = new MemoryBroker();
    const inside = await broker.open('work');
    const queue = new FaultyQueue(inside);
    const deadLetterQueue = new FaultyQueue(await broker.open('failed'));
    queue.ail({ delete: faults.delete, changeVisibility: faults.changeVisibility });
    deadLetterQueue.ail({ send: faults.send });
    const bodies = messages.map((_, index) => String(index));
    for (const body of bodies) await inside.send([{ body }]);

    const settled = new Map<string, number>();
    const lost = new Set<string>();
    const count = ({ message: { body } }: HeldMessage) => settled.set(body, (settled.get(body) ?? 0) + 1);
    const observer = {
      settled: count,
      leaseLost: ({ message: { body } }: HeldMessage) => lost.add(body),
    };
    const leases = leasesOf(queue, { visibilityTimeout, observer });
    const settler = settlerOf(queue, leases, { observer, settings: { settleDelay }, deadLetterQueue });
    const handles = new Map<string, HeldMessage>();
    checkRequests(queue, handles);
    while (handles.size < messages.length) {
      for (const message of await inside.receive({ max: 10, waitSeconds: 0, visibilityTimeout })) {
        const receivedAt = performance.now();
        const leaseEndsAt = receivedAt + visibilityTimeout * 1000;
        const held = heldMessage('', { message, receivedAt, leaseEndsAt });
        handles.set(message.receiptHandle, held);
        leases.hold(held);
        held.start(receivedAt);
        const { outcome, afterMs } = messages[Number(message.body)]!;
        setTimeout(() => settler.settle(held, outcome), afterMs);
      }
    }
    await clock.tickAsync(200_000);
    expect([leases.size, settler.unsettled, clock.countTimers()], 'held, unsettled, timers').to.deep.equal([
      0, 0, 0,
    ]);
    for (const { message, lease } of handles.values()) {
      const { body } = message;
      // A lease that has expired by the clock may end in a late delete.
      if (lease === 'uncertain' && settled.has(body)) lost.delete(body);
      expect(Number(settled.get(body) ?? 0) + Number(lost.has(body)), `fates of ${body}`).to.equal(1);
    }
    return { settled, lost, left: await bodiesIn(inside), buried: await bodiesIn(deadLetterQueue), settler };
  }

  /** Checks that once a message's visibility timeout has ended, only a delete is requested for it. */
  function checkRequests(queue: FaultyQueue, handles: ReadonlyMap<string, HeldMessage>): void {
    const deletedLate = new Set<string>();
    const check = (handle: string) => {
      const { message, leaseEndsAt } = handles.get(handle)!;
      expect(performance.now(), `a request for ${message.body}`).to.be.below(leaseEndsAt);
    };
    const remove = queue.delete.bind(queue);
    const change = queue.changeVisibility.bind(queue);
    queue.delete = (all) => {
      for (const handle of all) {
        if (deletedLate.has(handle) || performance.now() < handles.get(handle)!.leaseEndsAt) check(handle);
        else deletedLate.add(handle);
      }
      return remove(all);
    };
    queue.changeVisibility = (all) => {
      for (const { receiptHandle } of all) check(receiptHandle);
      return change(all);
    };
  }

  it('carry out each outcome once if no request fails', async () => {
    const short = fc.oneof(fc.constant(0), fc.nat(60_000));
    await fc.assert(
      fc.asyncProperty(
        run(fc.constant({ delete: [], changeVisibility: [], send: [] }), short),
        async (given) => {
          const { lost, left, buried, settler } = await play(given);
          expect([...lost]).to.deep.equal([]);
          const bodiesOf = (...actions: readonly string[]) =>
            given.messages.flatMap(({ outcome }, index) =>
              actions.includes(outcome.action) ? [String(index)] : [],
            );
          expect(left).to.have.members(bodiesOf('retry'));
          expect(buried).to.have.members(bodiesOf('bury'));
          expect([settler.confirmed, settler.mayRunAgain]).to.deep.equal([
            bodiesOf('delete', 'bury').length,
            0,
          ]);
        },
      ),
    );
  }).timeout(30_000);

  it('lose no message, whichever requests fail', async () => {
    const fault = fc.oneof({ weight: 5, arbitrary: temporary }, fc.constant(forGood));
    await fc.assert(
      fc.asyncProperty(run(faults(fault), fc.nat(60_000)), async (given) => {
        const { settled, left, buried } = await play(given);
        for (const [index, { outcome }] of given.messages.entries()) {
          const body = String(index);
          const isThere = left.includes(body) || buried.includes(body);
          if (outcome.action === 'retry') expect(left, `${body} will arrive again`).to.include(body);
          if (outcome.action === 'bury') expect(isThere, `${body} is in one of the queues`).to.equal(true);
          if (settled.has(body) && outcome.action !== 'retry') expect(left, body).not.to.include(body);
          if (outcome.action !== 'bury') expect(buried, body).not.to.include(body);
        }
      }),
      { numRuns: 300 },
    );
  }).timeout(30_000);
});

/** The bodies of all messages in a queue. */
async function bodiesIn(queue: Queue): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const messages = await queue.receive({ max: 10, waitSeconds: 0, visibilityTimeout: 1_000 });
    if (messages.length === 0) return bodies;
    bodies.push(...messages.map(({ body }) => body));
  }
}
