// Leases on a queue in memory, without a run loop. For leases in the run loop, see run-loop-leases.spec.ts.
import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { LeaseLostError } from '../../src/consumer/held-message.ts';
import { refused } from '../support/faulty-queue.ts';
import { rejection } from '../support/rejection.ts';
import { hold, leasesOf } from './held.ts';
import { bodiesOf, faultyQueue } from './running.ts';

const SECONDS = 30;
const unreachable = new BrokerError('unreachable', 'down');

describe('leases', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  async function holding(count: number) {
    const queue = await faultyQueue('work', bodiesOf('a', count));
    const observer = { extended: sinon.spy(), extensionFailed: sinon.spy(), leaseLost: sinon.spy() };
    const onLost = sinon.spy();
    const leases = leasesOf(queue, { observer, onLost });
    const messages = await hold(queue, leases, SECONDS);
    return { queue, observer, onLost, leases, messages, held: messages[0]! };
  }

  it('are over when they expire, not before; this is reported once, with the reason', async () => {
    const { queue, observer, onLost, leases, held } = await holding(1);
    queue.always.changeVisibility = { error: unreachable };
    await clock.tickAsync(29_999);
    expect(leases.owns(held)).to.equal(true);
    clock.jump(1);
    expect([leases.owns(held), leases.owns(held), leases.size]).to.deep.equal([false, false, 0]);
    const reason = 'its visibility timeout ended while the process could not extend it';
    expect(observer.leaseLost.args).to.deep.equal([[held, reason]]);
    expect(onLost.args).to.deep.equal([[held]]);
    expect(held.abortReason)
      .to.be.instanceOf(LeaseLostError)
      .with.property('message', `The lease of message ${held.message.id} was lost: ${reason}.`);
  });

  it('cannot be lost after they are released, and set no timer then', async () => {
    const { observer, leases, held } = await holding(1);
    held.settle();
    leases.release(held);
    expect([held.state, clock.countTimers()]).to.deep.equal(['done', 0]);
    leases.lose(held, 'too late');
    expect([held.leaseIsOver, observer.leaseLost.callCount]).to.deep.equal([false, 0]);
  });

  it('leave no timer once the last is lost', async () => {
    const { leases, messages } = await holding(2);
    for (const held of messages) leases.lose(held, 'it was given to another');
    expect(clock.countTimers()).to.equal(0);
  });

  it('continue for the extended messages if others in the same request were refused', async () => {
    const { queue, observer, leases, messages } = await holding(3);
    queue.faults.changeVisibility.push({
      entries: (_, index) => [undefined, refused('Gone', false), refused('Busy', true)][index],
    });
    await clock.tickAsync(15_000);
    expect(observer.extended.args).to.deep.equal([[queue, 1]]);
    expect(observer.leaseLost.args).to.deep.equal([
      [messages[1], 'the broker refused to extend it: Gone: refused'],
    ]);
    expect(observer.extensionFailed.callCount).to.equal(0);
    await clock.tickAsync(60_000);
    expect(leases.size).to.equal(2);
  });

  it('report failed requests, with the number of messages', async () => {
    const { queue, observer } = await holding(3);
    queue.faults.changeVisibility.push({ error: unreachable });
    await clock.tickAsync(15_000);
    expect(observer.extensionFailed.args).to.deep.equal([[unreachable, 3]]);
  });

  it("are not extended at a worker's request if they are lost", async () => {
    const { queue, leases, held } = await holding(1);
    clock.jump(30_000);
    expect(await rejection(leases.extend(held, 60))).to.be.instanceOf(LeaseLostError);
    expect(queue.calls).to.deep.equal([]);
  });

  it('tell a worker why they were not extended', async () => {
    const { queue, leases, held } = await holding(1);
    queue.faults.changeVisibility.push({ entries: () => refused('Busy', true) });
    const error = await rejection(leases.extend(held, 60));
    expect(error).to.be.instanceOf(BrokerError).and.to.include({
      kind: 'unreachable',
      message: 'Extending the lease failed: Busy: refused',
    });
  });

  it('are not extended while their message is being settled, but in time if that fails', async () => {
    const { queue, leases, held } = await holding(1);
    held.settlementBegins();
    await clock.tickAsync(20_000);
    expect(queue.calls).to.deep.equal([]);
    leases.resume(held);
    await clock.tickAsync(0);
    expect(queue.callsOf('changeVisibility')).to.have.length(1);
    await clock.tickAsync(60_000);
    expect(leases.owns(held)).to.equal(true);
  });

  it('do not need an observer', async () => {
    const queue = await faultyQueue('work', bodiesOf('a', 3));
    const leases = leasesOf(queue);
    await hold(queue, leases, SECONDS);
    queue.faults.changeVisibility.push(
      { error: unreachable },
      { entries: (_, index) => (index === 0 ? refused('Gone', false) : undefined) },
    );
    await clock.tickAsync(60_000);
    expect(leases.size).to.equal(2);
  });
});
