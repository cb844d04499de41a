import { expect } from 'chai';
import {
  type HeldMessage,
  type Lease,
  LeaseLostError,
  type MessageState,
  NEXT_LEASES,
  NEXT_STATES,
} from '../../src/consumer/held-message.ts';
import { heldMessage } from './held.ts';

const STATES = Object.keys(NEXT_STATES) as MessageState[];
const LEASES = Object.keys(NEXT_LEASES) as Lease[];

/** The call that moves a message to a state. */
const BECOME: Readonly<Record<Exclude<MessageState, 'received'>, (held: HeldMessage) => void>> = {
  deleting: (held) => held.deleteFirst(),
  running: (held) => {
    if (held.state === 'deleting') held.confirmDeleted();
    held.start(7);
  },
  settling: (held) => held.settle(),
  done: (held) => held.finish(),
};

const END: Readonly<Record<Exclude<Lease, 'held'>, (held: HeldMessage) => void>> = {
  uncertain: (held) => held.endLease('uncertain', 'the clock says so'),
  lost: (held) => (held.lease === 'uncertain' ? held.confirmLost() : held.endLease('lost', 'refused')),
};

/** A message in this state, reached by the shortest path. */
function inState(state: MessageState): HeldMessage {
  const held = heldMessage('a');
  if (state === 'deleting') held.deleteFirst();
  if (state === 'running') held.start(7);
  if (state === 'settling' || state === 'done') held.settle();
  if (state === 'done') held.finish();
  return held;
}

describe('a held message', () => {
  for (const from of STATES) {
    for (const to of ['deleting', 'running', 'settling', 'done'] as const) {
      const isLegal = NEXT_STATES[from].includes(to);
      it(`${isLegal ? 'goes' : 'refuses to go'} from ${from} to ${to}`, () => {
        const held = inState(from);
        if (isLegal) {
          BECOME[to](held);
          expect(held.state).to.equal(to);
        } else {
          expect(() => BECOME[to](held)).to.throw(`The state of message a cannot go from ${from} to ${to}.`);
          expect(held.state).to.equal(from);
        }
      });
    }
  }

  for (const from of LEASES) {
    for (const to of ['uncertain', 'lost'] as const) {
      const isLegal = NEXT_LEASES[from].includes(to);
      it(`${isLegal ? 'may have' : 'cannot have'} a lease that is ${to} after it was ${from}`, () => {
        const held = heldMessage('a');
        if (from !== 'held') END[from](held);
        expect(held.lease).to.equal(from);
        if (isLegal) {
          END[to](held);
          expect([held.lease, held.leaseIsOver]).to.deep.equal([to, true]);
        } else {
          expect(() => END[to](held)).to.throw(`The lease of message a cannot go from ${from} to ${to}.`);
          expect(held.lease).to.equal(from);
        }
      });
    }
  }

  it('does not start before its delete is confirmed, if it is deleted first', () => {
    const held = inState('deleting');
    expect(() => held.start(7)).to.throw('cannot go from deleting to running');
    held.confirmDeleted();
    held.start(7);
    expect([held.state, held.startedAt, held.leaseEndsAt]).to.deep.equal(['running', 7, Infinity]);
  });

  it('can be confirmed as deleted only while it is being deleted', () => {
    for (const state of STATES.filter((one) => one !== 'deleting')) {
      expect(() => inState(state).confirmDeleted(), state).to.throw(
        `cannot go from ${state} to deleted before its start`,
      );
    }
  });

  it('tells its worker why its lease is over, and knows whether the worker may have noticed', () => {
    const [asked, other] = [heldMessage('a'), heldMessage('b')];
    const { signal } = asked;
    for (const held of [asked, other]) held.endLease('uncertain', 'the clock says so');
    expect(signal.reason)
      .to.be.instanceOf(LeaseLostError)
      .with.property('message', 'The lease of message a was lost: the clock says so.');
    expect([asked.workerKnowsOfLoss, other.workerKnowsOfLoss]).to.deep.equal([true, false]);
  });

  it('keeps the first reason why its work is not wanted', () => {
    const held = heldMessage('a');
    const first = new Error('first');
    held.abort(first);
    held.abort(new Error('second'));
    expect([held.signal.reason, held.workerKnowsOfLoss]).to.deep.equal([first, false]);
  });

  it('forgets a finished extension, but not a newer one', () => {
    const held = heldMessage('a');
    const [older, newer] = [Promise.resolve(), Promise.resolve()];
    held.extensionBegins(older);
    held.extensionBegins(newer);
    held.extensionEnds(older);
    expect(held.extension).to.equal(newer);
    held.extensionEnds(newer);
    expect(held.extension).to.equal(undefined);
  });
});
