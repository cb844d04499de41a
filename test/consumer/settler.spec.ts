// The settler alone, with real leases on a queue in memory. What the run loop makes of it: settling.spec.ts.
import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { Delivery } from '../../src/consumer/delivery.ts';
import { Leases } from '../../src/consumer/leases.ts';
import { Settler } from '../../src/consumer/settler.ts';
import { buried, handled, type Outcome, released } from '../../src/worker/outcome.ts';
import { refused } from '../support/faulty-queue.ts';
import { hold } from './held.ts';
import { bodiesOf, faultyQueue } from './running.ts';

const unreachable = new BrokerError('unreachable', 'down');

describe('the settler', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  /** A settler whose process holds `count` messages for 30 s and runs their workers. */
  async function holding(count: number, { delayMs = 100, hasDeadLetterQueue = true } = {}) {
    const queue = await faultyQueue('work', bodiesOf('a', count));
    const deadLetterQueue = hasDeadLetterQueue ? await faultyQueue('failed') : undefined;
    const observer = { settled: sinon.spy(), settleFailed: sinon.spy(), leaseLost: sinon.spy() };
    const onAnswer = sinon.spy();
    const leases = new Leases(queue, 30, observer);
    const settler = new Settler({ queue, leases, observer, delayMs, deadLetterQueue, onAnswer });
    const deliveries = await hold(queue, leases, 30);
    const [delivery, another] = deliveries as [Delivery, Delivery];
    return { queue, deadLetterQueue, observer, onAnswer, leases, settler, deliveries, delivery, another };
  }

  it('takes one outcome of a message: the first', async () => {
    const { queue, observer, settler, delivery } = await holding(1);
    settler.settle(delivery, handled);
    settler.settle(delivery, released);
    await clock.tickAsync(100);
    settler.settle(delivery, released);
    await clock.tickAsync(100);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal(['delete']);
    expect(observer.settled.args).to.deep.equal([[delivery, handled]]);
  });

  it('knows how many outcomes are under way, and how many messages the broker has confirmed as gone', async () => {
    const { queue, observer, leases, settler, deliveries } = await holding(4);
    queue.always.delete = { milliseconds: 50 };
    const outcomes: Outcome[] = [handled, buried, released, { action: 'retry' }];
    for (const [index, outcome] of outcomes.entries()) settler.settle(deliveries[index]!, outcome);
    // What comes back by itself needs no request.
    expect([settler.unsettled, settler.confirmed]).to.deep.equal([3, 0]);
    await clock.tickAsync(1_000);
    expect([settler.unsettled, settler.confirmed, settler.mayRepeat, leases.size]).to.deep.equal([
      0, 2, 0, 0,
    ]);
    expect(observer.settled.callCount).to.equal(4);
    expect(observer.settleFailed.callCount).to.equal(0);
    expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 1, delayed: 0 });
  });

  it('tells how long requests take', async () => {
    const { queue, onAnswer, settler, delivery } = await holding(1);
    await clock.tickAsync(5_000);
    queue.always.delete = { milliseconds: 20 };
    settler.settle(delivery, handled);
    await clock.tickAsync(1_000);
    expect(onAnswer.args).to.deep.equal([[20]]);
  });

  it('sends everything at once when it is flushed, and says when all is answered', async () => {
    const { queue, deadLetterQueue, settler, deliveries } = await holding(3, { delayMs: 5_000 });
    queue.always.delete = queue.always.changeVisibility = { milliseconds: 50 };
    deadLetterQueue!.always.send = { milliseconds: 50 };
    for (const [index, outcome] of [handled, buried, released].entries()) {
      settler.settle(deliveries[index]!, outcome);
    }
    const answered = sinon.spy();
    void settler.flush().then(answered);
    await clock.tickAsync(99);
    expect(answered.callCount).to.equal(0);
    await clock.tickAsync(1);
    expect([answered.callCount, settler.unsettled]).to.deep.equal([1, 0]);
  });

  it('has not flushed what is to be buried before its delete is answered, though there is nothing else', async () => {
    const { queue, deadLetterQueue, settler, delivery } = await holding(1, { delayMs: 5_000 });
    queue.always.delete = { milliseconds: 50 };
    deadLetterQueue!.always.send = { milliseconds: 50 };
    settler.settle(delivery, buried);
    const answered = sinon.spy();
    void settler.flush().then(answered);
    await clock.tickAsync(99);
    expect(answered.callCount).to.equal(0);
    await clock.tickAsync(1);
    expect([answered.callCount, settler.confirmed]).to.deep.equal([1, 1]);
  });

  it('flushes what waits to be tried again, too', async () => {
    const { queue, settler, delivery } = await holding(1);
    queue.faults.delete.push({ error: unreachable });
    settler.settle(delivery, handled);
    await clock.tickAsync(100);
    expect(settler.unsettled).to.equal(1);
    await settler.flush();
    expect([settler.unsettled, settler.confirmed]).to.deep.equal([0, 1]);
    await clock.tickAsync(60_000);
    expect(queue.callsOf('delete')).to.have.length(2);
  });

  it('keeps the lease for as long as requests fail', async () => {
    const { queue, observer, settler, delivery } = await holding(1);
    queue.always.delete = { error: unreachable };
    settler.settle(delivery, handled);
    await clock.tickAsync(90_000);
    expect(queue.callsOf('changeVisibility')).not.to.deep.equal([]);
    expect([observer.leaseLost.callCount, settler.unsettled]).to.deep.equal([0, 1]);
  });

  it('tells why requests failed, as a whole or in part, and for how many messages', async () => {
    const { queue, observer, settler, deliveries } = await holding(3);
    queue.faults.delete.push({ error: unreachable });
    for (const delivery of deliveries) settler.settle(delivery, handled);
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

  it('asks for nothing in the name of a message whose lease is over, but to delete what was handled', async () => {
    const { queue, observer, settler, deliveries } = await holding(3);
    const [handledLate, triedAgain, endsMeanwhile] = deliveries as [Delivery, Delivery, Delivery];
    endsMeanwhile.leaseEndsAt = performance.now() + 50;
    settler.settle(endsMeanwhile, handled);
    await clock.tickAsync(100);
    for (const one of [handledLate, triedAgain]) one.leaseEndsAt = performance.now();
    settler.settle(handledLate, handled);
    settler.settle(triedAgain, released);
    expect(settler.unsettled).to.equal(1);
    await clock.tickAsync(1_000);
    const deletes = queue.callsOf('delete').flatMap(({ entries }) => entries);
    expect(deletes).to.have.members([handledLate, endsMeanwhile].map(({ message }) => message.receiptHandle));
    expect(queue.calls).to.have.length(queue.callsOf('delete').length);
    expect(observer.leaseLost.args.map(([delivery]) => delivery)).to.deep.equal([triedAgain]);
    expect(observer.settled.callCount).to.equal(2);
    expect([settler.unsettled, settler.confirmed, settler.mayRepeat]).to.deep.equal([0, 2, 0]);
    expect(deliveries.map(({ phase }) => phase)).to.deep.equal(['done', 'done', 'done']);
  });

  it('tries a late delete once, whatever it meets, and knows the message as handled after it', async () => {
    for (const fault of [{ error: unreachable }, { entries: () => refused('Throttled', true) }, undefined]) {
      const { queue, observer, settler, delivery } = await holding(1);
      if (fault) queue.faults.delete.push(fault);
      delivery.leaseEndsAt = performance.now();
      settler.settle(delivery, handled);
      await clock.tickAsync(60_000);
      expect(queue.callsOf('delete')).to.have.length(1);
      expect(settler.wasHandled(delivery.message.id)).to.equal(true);
      const failed = fault ? 1 : 0;
      expect([settler.confirmed, settler.mayRepeat]).to.deep.equal([1 - failed, failed]);
      expect([observer.settled.callCount, observer.leaseLost.callCount]).to.deep.equal([1 - failed, failed]);
      expect([settler.unsettled, clock.countTimers()]).to.deep.equal([0, 0]);
    }
  });

  it('deletes nothing whose lease the broker refused, though it was over by the clock before', async () => {
    const { queue, leases, settler, delivery } = await holding(1);
    delivery.leaseEndsAt = performance.now();
    expect([leases.owns(delivery), delivery.lease]).to.deep.equal([false, 'uncertain']);
    leases.lose(delivery, 'the broker refused to extend it');
    settler.settle(delivery, handled);
    await clock.tickAsync(1_000);
    expect(queue.calls).to.deep.equal([]);
    expect([delivery.lease, settler.mayRepeat, settler.wasHandled(delivery.message.id)]).to.deep.equal([
      'lost',
      1,
      false,
    ]);
  });

  it('waits for an extension that is under way: after its delete a message has none', async () => {
    const { queue, settler, delivery } = await holding(1);
    queue.always.changeVisibility = { milliseconds: 500 };
    await clock.tickAsync(15_000);
    settler.settle(delivery, handled);
    await clock.tickAsync(400);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal(['changeVisibility']);
    await clock.tickAsync(100);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal(['changeVisibility', 'delete']);
  });

  it('waits for all extensions that are under way, and lets none begin meanwhile', async () => {
    const { queue, leases, settler, deliveries } = await holding(3);
    const [soon, late, other] = deliveries as [Delivery, Delivery, Delivery];
    await clock.tickAsync(10_000);
    queue.faults.changeVisibility.push({ milliseconds: 500 }, { milliseconds: 8_000 });
    for (const delivery of [soon, late]) void leases.extend(delivery, 30);
    for (const delivery of [other, soon, late]) settler.settle(delivery, handled);
    await clock.tickAsync(7_999);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal(['changeVisibility', 'changeVisibility']);
    await clock.tickAsync(1);
    expect(queue.calls.map(({ action }) => action).slice(2)).to.deep.equal(['delete']);
    expect(settler.confirmed).to.equal(3);
  });

  it('extends none of the leases of a batch while that is under way', async () => {
    const { queue, settler, deliveries } = await holding(3);
    await clock.tickAsync(10_000);
    queue.faults.delete.push({ milliseconds: 10_000 });
    for (const delivery of deliveries) settler.settle(delivery, handled);
    await clock.tickAsync(15_000);
    expect(queue.calls.map(({ action }) => action)).to.deep.equal(['delete']);
    expect(settler.confirmed).to.equal(3);
  });

  it('takes each part of an answer for the message that it was asked for, though a lease was lost before', async () => {
    const { queue, observer, leases, settler, deliveries } = await holding(4);
    const [lost, good, bad, alsoGood] = deliveries as [Delivery, Delivery, Delivery, Delivery];
    for (const delivery of deliveries) settler.settle(delivery, handled);
    leases.lose(lost, 'it was given to another');
    queue.faults.delete.push({
      entries: (handle) =>
        handle === bad.message.receiptHandle ? refused('ReceiptHandleIsInvalid', false) : undefined,
    });
    await clock.tickAsync(1_000);
    expect(observer.leaseLost.args.map(([delivery]) => delivery)).to.deep.equal([lost, bad]);
    expect(observer.settled.args.map(([delivery]) => delivery)).to.deep.equal([good, alsoGood]);
    expect([settler.confirmed, settler.mayRepeat]).to.deep.equal([2, 2]);
  });

  it('gives up what is not settled, whatever is still answered', async () => {
    const { queue, observer, settler, deliveries } = await holding(3);
    const [answeredLate, waits, released_] = deliveries as [Delivery, Delivery, Delivery];
    queue.faults.delete.push(
      { error: unreachable },
      { entries: () => refused('ReceiptHandleIsInvalid', false) },
    );
    queue.always.changeVisibility = { milliseconds: 1_000 };
    settler.settle(waits, handled);
    await clock.tickAsync(100);
    settler.settle(answeredLate, handled);
    settler.settle(released_, released);
    await clock.tickAsync(99);
    const timers = clock.countTimers();
    const flushed = settler.flush();
    settler.giveUp();
    expect([settler.unsettled, settler.mayRepeat]).to.deep.equal([0, 2]);
    expect(clock.countTimers()).to.be.below(timers);
    const reasons = observer.leaseLost.args.map(([, reason]) => reason);
    expect(reasons).to.deep.equal(Array(3).fill('the broker could not be told what became of it in time'));
    await clock.tickAsync(60_000);
    await flushed;
    expect([settler.mayRepeat, observer.settled.callCount]).to.deep.equal([2, 0]);
  });

  it('says that there is no dead-letter queue', async () => {
    const { observer, settler, delivery } = await holding(1, { hasDeadLetterQueue: false });
    settler.settle(delivery, buried);
    await clock.tickAsync(100);
    expect(observer.settleFailed.args[0]![0].message).to.equal('No dead-letter queue is configured.');
  });

  it('knows a message as handled until its delete is confirmed', async () => {
    const { queue, settler, delivery } = await holding(1);
    const { id } = delivery.message;
    queue.faults.delete.push({ error: unreachable });
    expect(settler.wasHandled(id)).to.equal(false);
    settler.settle(delivery, handled);
    await clock.tickAsync(100);
    expect(settler.wasHandled(id)).to.equal(true);
    await clock.tickAsync(1_000);
    expect([settler.confirmed, settler.wasHandled(id)]).to.deep.equal([1, false]);
  });

  it('needs nobody who listens', async () => {
    const { queue, leases, delivery, another } = await holding(2);
    const options = { queue, leases, observer: {}, delayMs: 0, deadLetterQueue: undefined };
    const settler = new Settler(options);
    queue.faults.delete.push({ error: unreachable }, { entries: () => refused('Throttled', true) });
    for (const one of [delivery, another]) settler.settle(one, handled);
    await clock.tickAsync(10_000);
    expect(settler.confirmed).to.equal(2);
  });

  describe('before messages are handled', () => {
    it('deletes each once: of a message that is held twice, one delivery is to be handled', async () => {
      const { leases, settler, delivery, another } = await holding(2);
      const { message, source, receivedAt, leaseEndsAt } = another;
      const twice = { ...message, id: delivery.message.id };
      const again = new Delivery({
        message: twice,
        source,
        group: undefined,
        crashes: 0,
        receivedAt,
        leaseEndsAt,
      });
      leases.release(another);
      leases.hold(again);
      const worked = await Promise.all([settler.deleteFirst(delivery), settler.deleteFirst(again)]);
      expect(worked).to.deep.equal([true, false]);
      expect([...leases.held]).to.deep.equal([delivery]);
    });

    it('gives back in a drain what it cannot delete, but not what was handled', async () => {
      const { queue, settler, delivery, another } = await holding(2);
      queue.faults.delete.push({ error: unreachable }, { error: unreachable });
      settler.settle(another, handled);
      const first = settler.deleteFirst(delivery);
      await clock.tickAsync(100);
      expect(queue.callsOf('delete')).to.have.length(2);
      settler.startDraining();
      expect(await first).to.equal(false);
      await clock.tickAsync(1_000);
      expect([settler.confirmed, settler.mayRepeat]).to.deep.equal([1, 0]);
      expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
    });

    it('gives back what it cannot delete once the drain has begun', async () => {
      const { queue, settler, delivery } = await holding(1);
      queue.always.delete = { error: unreachable };
      settler.startDraining();
      expect(await settler.deleteFirst(delivery)).to.equal(false);
      await clock.tickAsync(1_000);
      expect(queue.callsOf('delete')).to.have.length(1);
      expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
    });
  });
});
