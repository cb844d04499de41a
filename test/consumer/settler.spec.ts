// The settler alone, with real leases on a queue in memory. For the run loop, see run-loop-settling.spec.ts.
import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import type { HeldMessage } from '../../src/consumer/held-message.ts';
import { Timings } from '../../src/consumer/timings.ts';
import { buried, handled, type Outcome, returned } from '../../src/worker/outcome.ts';
import { refused } from '../support/faulty-queue.ts';
import { heldMessage, hold, leasesOf, receive, settlerOf } from './held.ts';
import { bodiesOf, faultyQueue } from './running.ts';

const unreachable = new BrokerError('unreachable', 'down');
const SETTLE_DELAY = 100;

describe('the settler', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  /** A settler in a process that holds `count` messages for 30 s and, by default, runs their workers. */
  async function holding(
    count: number,
    { settleDelay = SETTLE_DELAY, hasDeadLetterQueue = true, areRunning = true } = {},
  ) {
    const queue = await faultyQueue('work', bodiesOf('a', count));
    const deadLetterQueue = hasDeadLetterQueue ? await faultyQueue('failed') : undefined;
    const observer = { settled: sinon.spy(), settleFailed: sinon.spy(), leaseLost: sinon.spy() };
    const timings = new Timings();
    const onAnswer = sinon.spy(timings, 'answered');
    const leases = leasesOf(queue, { observer });
    const drain = new AbortController();
    const settler = settlerOf(queue, leases, {
      ...{ observer, settings: { settleDelay }, deadLetterQueue, timings, draining: drain.signal },
    });
    const messages = await (areRunning ? hold : receive)(queue, leases, 30);
    const [held, another] = messages as [HeldMessage, HeldMessage];
    return { queue, deadLetterQueue, observer, onAnswer, leases, settler, drain, messages, held, another };
  }

  it('accepts only the first outcome of a message', async () => {
    const { queue, observer, settler, held } = await holding(1);
    settler.settle(held, handled);
    settler.settle(held, returned);
    await clock.tickAsync(100);
    settler.settle(held, returned);
    await clock.tickAsync(100);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal(['delete']);
    expect(observer.settled.args).to.deep.equal([[held, handled]]);
  });

  it('knows how many outcomes are unsettled, and how many messages the broker has confirmed as deleted', async () => {
    const { queue, observer, leases, settler, messages } = await holding(4);
    queue.always.delete = { milliseconds: 50 };
    const outcomes: Outcome[] = [handled, buried, returned, { action: 'retry' }];
    for (const [index, outcome] of outcomes.entries()) settler.settle(messages[index]!, outcome);
    // A message that becomes visible by itself needs no request.
    expect([settler.unsettled, settler.confirmed]).to.deep.equal([3, 0]);
    await clock.tickAsync(1_000);
    expect([settler.unsettled, settler.confirmed, settler.mayRunAgain, leases.size]).to.deep.equal([
      0, 2, 0, 0,
    ]);
    expect(observer.settled.callCount).to.equal(4);
    expect(observer.settleFailed.callCount).to.equal(0);
    expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 1, delayed: 0 });
  });

  it('records how long requests take', async () => {
    const { queue, onAnswer, settler, held } = await holding(1);
    await clock.tickAsync(5_000);
    queue.always.delete = { milliseconds: 20 };
    settler.settle(held, handled);
    await clock.tickAsync(1_000);
    expect(onAnswer.args).to.deep.equal([[20]]);
  });

  it('sends everything immediately on flush(), which resolves when every request has completed', async () => {
    const { queue, deadLetterQueue, settler, messages } = await holding(3, { settleDelay: 5_000 });
    queue.always.delete = queue.always.changeVisibility = { milliseconds: 50 };
    deadLetterQueue!.always.send = { milliseconds: 50 };
    for (const [index, outcome] of [handled, buried, returned].entries()) {
      settler.settle(messages[index]!, outcome);
    }
    const answered = sinon.spy();
    void settler.flush().then(answered);
    await clock.tickAsync(99);
    expect(answered.callCount).to.equal(0);
    await clock.tickAsync(1);
    expect([answered.callCount, settler.unsettled]).to.deep.equal([1, 0]);
  });

  it('finishes flush() only after the delete of a buried message, even if nothing else is left', async () => {
    const { queue, deadLetterQueue, settler, held } = await holding(1, { settleDelay: 5_000 });
    queue.always.delete = { milliseconds: 50 };
    deadLetterQueue!.always.send = { milliseconds: 50 };
    settler.settle(held, buried);
    const answered = sinon.spy();
    void settler.flush().then(answered);
    await clock.tickAsync(99);
    expect(answered.callCount).to.equal(0);
    await clock.tickAsync(1);
    expect([answered.callCount, settler.confirmed]).to.deep.equal([1, 1]);
  });

  it('also flushes waiting retries', async () => {
    const { queue, settler, held } = await holding(1);
    queue.faults.delete.push({ error: unreachable });
    settler.settle(held, handled);
    await clock.tickAsync(100);
    expect(settler.unsettled).to.equal(1);
    await settler.flush();
    expect([settler.unsettled, settler.confirmed]).to.deep.equal([0, 1]);
    await clock.tickAsync(60_000);
    expect(queue.callsOf('delete')).to.have.length(2);
  });

  it('keeps the lease while requests fail', async () => {
    const { queue, observer, settler, held } = await holding(1);
    queue.always.delete = { error: unreachable };
    settler.settle(held, handled);
    await clock.tickAsync(90_000);
    expect(queue.callsOf('changeVisibility')).not.to.deep.equal([]);
    expect([observer.leaseLost.callCount, settler.unsettled]).to.deep.equal([0, 1]);
  });

  it('reports why requests failed, completely or partly, and for how many messages', async () => {
    const { queue, observer, settler, messages } = await holding(3);
    queue.faults.delete.push({ error: unreachable });
    for (const held of messages) settler.settle(held, handled);
    await clock.tickAsync(100);
    queue.faults.delete.push({
      entries: (_, index) => (index > 0 ? refused('Throttled', true) : undefined),
    });
    await settler.flush();
    const failures = observer.settleFailed.args.map(([{ message }, count]) => [message, count]);
    expect(failures).to.deep.equal([
      ['down', 3],
      ['Throttled: refused', 2],
    ]);
  });

  it('sends no request for a message whose lease is over, except to delete a handled one', async () => {
    const { queue, observer, settler, messages } = await holding(3);
    const [handledLate, triedAgain, endsMeanwhile] = messages as [HeldMessage, HeldMessage, HeldMessage];
    endsMeanwhile.extended(performance.now() + 50, endsMeanwhile.extendAt);
    settler.settle(endsMeanwhile, handled);
    await clock.tickAsync(100);
    for (const one of [handledLate, triedAgain]) one.extended(performance.now(), one.extendAt);
    settler.settle(handledLate, handled);
    settler.settle(triedAgain, returned);
    expect(settler.unsettled).to.equal(1);
    await clock.tickAsync(1_000);
    const deletes = queue.callsOf('delete').flatMap(({ entries }) => entries);
    expect(deletes).to.have.members([handledLate, endsMeanwhile].map(({ message }) => message.receiptHandle));
    expect(queue.calls).to.have.length(queue.callsOf('delete').length);
    expect(observer.leaseLost.args.map(([held]) => held)).to.deep.equal([triedAgain]);
    expect(observer.settled.callCount).to.equal(2);
    expect([settler.unsettled, settler.confirmed, settler.mayRunAgain]).to.deep.equal([0, 2, 0]);
    expect(messages.map(({ state }) => state)).to.deep.equal(['done', 'done', 'done']);
  });

  it('tries a late delete once, whatever the result, and still remembers the message as handled', async () => {
    for (const fault of [{ error: unreachable }, { entries: () => refused('Throttled', true) }, undefined]) {
      const { queue, observer, settler, held } = await holding(1);
      if (fault) queue.faults.delete.push(fault);
      held.extended(performance.now(), held.extendAt);
      settler.settle(held, handled);
      await clock.tickAsync(60_000);
      expect(queue.callsOf('delete')).to.have.length(1);
      expect(settler.wasHandled(held.message.id)).to.equal(true);
      const failed = fault ? 1 : 0;
      expect([settler.confirmed, settler.mayRunAgain]).to.deep.equal([1 - failed, failed]);
      expect([observer.settled.callCount, observer.leaseLost.callCount]).to.deep.equal([1 - failed, failed]);
      expect([settler.unsettled, clock.countTimers()]).to.deep.equal([0, 0]);
    }
  });

  it('does not delete a message whose lease the broker refused, even if it had already expired', async () => {
    const { queue, leases, settler, held } = await holding(1);
    held.extended(performance.now(), held.extendAt);
    expect([leases.owns(held), held.lease]).to.deep.equal([false, 'uncertain']);
    leases.lose(held, 'the broker refused to extend it');
    settler.settle(held, handled);
    await clock.tickAsync(1_000);
    expect(queue.calls).to.deep.equal([]);
    expect([held.lease, settler.mayRunAgain, settler.wasHandled(held.message.id)]).to.deep.equal([
      'lost',
      1,
      false,
    ]);
  });

  it('waits for an extension in progress, because none may follow the delete', async () => {
    const { queue, settler, held } = await holding(1);
    queue.always.changeVisibility = { milliseconds: 500 };
    await clock.tickAsync(15_000);
    settler.settle(held, handled);
    await clock.tickAsync(499);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal(['changeVisibility']);
    await clock.tickAsync(1);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal(['changeVisibility', 'delete']);
  });

  it('waits for the extension of each message alone, and lets none start meanwhile', async () => {
    const { queue, leases, settler, messages } = await holding(3);
    const [soon, late, other] = messages as [HeldMessage, HeldMessage, HeldMessage];
    await clock.tickAsync(10_000);
    queue.faults.changeVisibility.push({ milliseconds: 500 }, { milliseconds: 8_000 });
    for (const held of [soon, late]) void leases.extend(held, 30);
    for (const held of [other, soon, late]) settler.settle(held, handled);
    const deleted = () => queue.calls.flatMap(({ action, entries }) => (action === 'delete' ? entries : []));
    const handlesOf = (...held: HeldMessage[]) => held.map(({ message }) => message.receiptHandle);
    await clock.tickAsync(SETTLE_DELAY);
    expect(deleted()).to.deep.equal(handlesOf(other));
    await clock.tickAsync(500 - SETTLE_DELAY);
    expect(deleted()).to.deep.equal(handlesOf(other, soon));
    await clock.tickAsync(7_499);
    expect(deleted()).to.deep.equal(handlesOf(other, soon));
    await clock.tickAsync(1);
    expect(deleted()).to.deep.equal(handlesOf(other, soon, late));
    expect(queue.calls.filter(({ action }) => action === 'changeVisibility')).to.have.length(2);
    expect(settler.confirmed).to.equal(3);
  });

  it('drops what it has not sent when it gives up, and leaves no timer', async () => {
    const { queue, settler, messages } = await holding(2);
    settler.settle(messages[0]!, handled);
    settler.settle(messages[1]!, returned);
    settler.giveUp();
    expect(clock.countTimers()).to.equal(0);
    await clock.tickAsync(10_000);
    expect(queue.calls).to.deep.equal([]);
  });

  it('sets no timer for a request that fails after it gave up', async () => {
    const { queue, settler, held } = await holding(1);
    queue.faults.delete.push({ milliseconds: 5_000, error: unreachable, worked: true });
    settler.settle(held, handled);
    await clock.tickAsync(1_000);
    settler.giveUp();
    // The request fails after 5.1 s; a retry would wait for at least 0.25 s.
    await clock.tickAsync(4_200);
    expect([settler.mayRunAgain, clock.countTimers()]).to.deep.equal([1, 0]);
  });

  it('goes on extending a message that waits for others to share its request', async () => {
    const { queue, settler, held } = await holding(1, { settleDelay: 20_000 });
    await clock.tickAsync(14_000);
    settler.settle(held, handled);
    await clock.tickAsync(20_000);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal([
      'changeVisibility',
      'changeVisibility',
      'delete',
    ]);
    expect([settler.confirmed, held.lease]).to.deep.equal([1, 'held']);
  });

  it('waits for an extension in a flush, too', async () => {
    const { queue, settler, held } = await holding(1);
    queue.always.changeVisibility = { milliseconds: 500 };
    await clock.tickAsync(15_000);
    settler.settle(held, handled);
    const flushed = settler.flush();
    await clock.tickAsync(500);
    await flushed;
    expect([settler.confirmed, settler.unsettled]).to.deep.equal([1, 0]);
  });

  it('does not extend the leases of a batch while it is being sent', async () => {
    const { queue, settler, messages } = await holding(3);
    await clock.tickAsync(10_000);
    queue.faults.delete.push({ milliseconds: 10_000 });
    for (const held of messages) settler.settle(held, handled);
    await clock.tickAsync(15_000);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal(['delete']);
    expect(settler.confirmed).to.equal(3);
  });

  it('matches each result to its message, even if a lease was lost before', async () => {
    const { queue, observer, leases, settler, messages } = await holding(4);
    const [lost, good, bad, alsoGood] = messages as [HeldMessage, HeldMessage, HeldMessage, HeldMessage];
    for (const held of messages) settler.settle(held, handled);
    leases.lose(lost, 'it was given to another');
    queue.faults.delete.push({
      entries: (handle) =>
        handle === bad.message.receiptHandle ? refused('ReceiptHandleIsInvalid', false) : undefined,
    });
    await clock.tickAsync(1_000);
    expect(observer.leaseLost.args.map(([held]) => held)).to.deep.equal([lost, bad]);
    expect(observer.settled.args.map(([held]) => held)).to.deep.equal([good, alsoGood]);
    expect([settler.confirmed, settler.mayRunAgain]).to.deep.equal([2, 2]);
  });

  it('gives up what is not settled, and ignores late responses', async () => {
    const { queue, observer, settler, messages } = await holding(3);
    const [answeredLate, waits, unfinished] = messages as [HeldMessage, HeldMessage, HeldMessage];
    queue.faults.delete.push(
      { error: unreachable },
      { entries: () => refused('ReceiptHandleIsInvalid', false) },
    );
    queue.always.changeVisibility = { milliseconds: 1_000 };
    settler.settle(waits, handled);
    await clock.tickAsync(100);
    settler.settle(answeredLate, handled);
    settler.settle(unfinished, returned);
    await clock.tickAsync(99);
    const timers = clock.countTimers();
    const flushed = settler.flush();
    settler.giveUp();
    expect([settler.unsettled, settler.mayRunAgain]).to.deep.equal([0, 2]);
    expect(clock.countTimers()).to.be.below(timers);
    const reasons = observer.leaseLost.args.map(([, reason]) => reason);
    expect(reasons).to.deep.equal(Array(3).fill('its outcome could not be sent to the broker in time'));
    await clock.tickAsync(60_000);
    await flushed;
    expect([settler.mayRunAgain, observer.settled.callCount]).to.deep.equal([2, 0]);
  });

  it('reports a missing dead-letter queue', async () => {
    const { observer, settler, held } = await holding(1, { hasDeadLetterQueue: false });
    settler.settle(held, buried);
    await clock.tickAsync(100);
    expect(observer.settleFailed.args[0]![0].message).to.equal('No dead-letter queue is configured.');
  });

  it('remembers a message as handled until its delete is confirmed', async () => {
    const { queue, settler, held } = await holding(1);
    const { id } = held.message;
    queue.faults.delete.push({ error: unreachable });
    expect(settler.wasHandled(id)).to.equal(false);
    settler.settle(held, handled);
    await clock.tickAsync(100);
    expect(settler.wasHandled(id)).to.equal(true);
    await clock.tickAsync(1_000);
    expect([settler.confirmed, settler.wasHandled(id)]).to.deep.equal([1, false]);
  });

  it('does not need an observer', async () => {
    const { queue, leases, held, another } = await holding(2);
    const settler = settlerOf(queue, leases, { settings: { settleDelay: 0 } });
    queue.faults.delete.push({ error: unreachable }, { entries: () => refused('Throttled', true) });
    for (const one of [held, another]) settler.settle(one, handled);
    await clock.tickAsync(10_000);
    expect(settler.confirmed).to.equal(2);
  });

  describe('before messages are handled', () => {
    it('deletes each once: if a message is held twice, only one is handled', async () => {
      const { leases, settler, held, another } = await holding(2, { areRunning: false });
      const { message, receivedAt, leaseEndsAt } = another;
      const twice = { ...message, id: held.message.id };
      const again = heldMessage('', { message: twice, receivedAt, leaseEndsAt });
      leases.release(another);
      leases.hold(again);
      const worked = await Promise.all([settler.deleteFirst(held), settler.deleteFirst(again)]);
      expect(worked).to.deep.equal([true, false]);
      expect([...leases.held]).to.deep.equal([held]);
    });

    it('returns what it cannot delete when the drain starts, but not what was handled', async () => {
      const { queue, settler, drain, held, another } = await holding(2, { areRunning: false });
      queue.faults.delete.push({ error: unreachable }, { error: unreachable });
      settler.settle(another, handled);
      const first = settler.deleteFirst(held);
      await clock.tickAsync(100);
      expect(queue.callsOf('delete')).to.have.length(2);
      drain.abort();
      expect(await first).to.equal(false);
      await clock.tickAsync(1_000);
      expect([settler.confirmed, settler.mayRunAgain]).to.deep.equal([1, 0]);
      expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
    });

    it('returns what it cannot delete once the drain has started', async () => {
      const { queue, settler, drain, held } = await holding(1, { areRunning: false });
      queue.always.delete = { error: unreachable };
      drain.abort();
      expect(await settler.deleteFirst(held)).to.equal(false);
      await clock.tickAsync(1_000);
      expect(queue.callsOf('delete')).to.have.length(1);
      expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
    });
  });
});
