import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { LeaseLostError } from '../../src/consumer/delivery.ts';
import { currentMessage } from '../../src/worker/current-message.ts';
import { refused, sleep } from './faulty-queue.ts';
import { running } from './running.ts';

describe('leases', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('keep a message for as long as its worker runs, with a visibility timeout of 2 seconds', async () => {
    const { started, queue } = await running(
      () => sleep(60_000),
      { visibilityTimeout: 2 },
      { bodies: ['a'] },
    );
    await clock.tickAsync(120_000);
    expect(started).to.deep.equal(['a']);
    expect(queue.callsOf('changeVisibility').length).to.be.within(55, 65);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('keep what waits, too: each message runs once, however long those before it take', async () => {
    const bodies = ['a', 'b', 'c', 'd', 'e'];
    const { started, queue } = await running(
      ({ body }) => sleep(body === 'a' ? 1 : 20_000),
      { visibilityTimeout: 30 },
      { bodies },
    );
    await clock.tickAsync(200_000);
    expect([...started].sort()).to.deep.equal(bodies);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('are extended ten to a request', async () => {
    const bodies = Array.from({ length: 20 }, (_, index) => String(index));
    const { queue } = await running(() => sleep(50_000), { slots: 20 }, { bodies });
    await clock.tickAsync(20_000);
    expect(queue.callsOf('changeVisibility').map(({ entries }) => entries.length)).to.deep.equal([10, 10]);
  });

  it('are extended by the visibility timeout from now, each time the same', async () => {
    const { queue } = await running(() => sleep(50_000), { visibilityTimeout: 10 }, { bodies: ['a'] });
    await clock.tickAsync(40_000);
    const changes = queue.callsOf('changeVisibility').flatMap(({ entries }) => entries) as {
      seconds: number;
    }[];
    expect(new Set(changes.map(({ seconds }) => seconds))).to.deep.equal(new Set([10]));
  });

  it('end after 12 hours, and the worker is told', async () => {
    let reason: unknown;
    const { queue } = await running(
      async () => {
        const { signal } = currentMessage();
        await sleep(13 * 3_600_000);
        reason = signal.reason;
      },
      { visibilityTimeout: 3_600 },
      { bodies: ['a'] },
    );
    await clock.tickAsync(12 * 3_600_000 + 1_000);
    const changes = queue.callsOf('changeVisibility');
    expect(changes.length).to.be.within(20, 30);
    await clock.tickAsync(3_600_000);
    expect(reason).to.be.instanceOf(LeaseLostError);
    expect(queue.callsOf('changeVisibility')).to.have.length(changes.length);
  });

  it('are tried again within the time that is left when an extension fails', async () => {
    const { started, queue } = await running(() => sleep(60_000), {}, { bodies: ['a'] });
    queue.faults.changeVisibility.push(
      { error: new BrokerError('unreachable', 'down') },
      { entries: () => refused('InternalError', true) },
    );
    await clock.tickAsync(90_000);
    expect(started).to.deep.equal(['a']);
  });

  it('that are lost abort the signal, once, and the outcome is not made so', async () => {
    const lost = sinon.spy();
    let aborted: unknown;
    const { queue } = await running(
      async () => {
        currentMessage().signal.addEventListener('abort', (event) => {
          aborted = (event.target as AbortSignal).reason;
        });
        await sleep(60_000);
      },
      {},
      { bodies: ['a'], observer: { leaseLost: lost } },
    );
    queue.faults.changeVisibility.push({ entries: () => refused('ReceiptHandleIsInvalid', false) });
    await clock.tickAsync(20_000);
    expect(aborted).to.be.instanceOf(LeaseLostError);
    await clock.tickAsync(38_000);
    expect(queue.callsOf('changeVisibility')).to.have.length(1);
    expect(lost.callCount).to.equal(1);
    await clock.tickAsync(3_000);
    expect(queue.callsOf('delete')).to.have.length(0);
  });

  it('that ran out while the process was blocked are noticed before anything is deleted', async () => {
    const lost = sinon.spy();
    const { queue } = await running(
      ({ receiveCount }) => {
        // The clock goes on and nothing else does, as in a loop that never gives way.
        if (receiveCount === 1) clock.setSystemTime(Date.now() + 40_000);
        if (receiveCount === 1) clock.jump(40_000);
      },
      {},
      { bodies: ['a'], observer: { leaseLost: lost } },
    );
    await clock.tickAsync(1_000);
    expect(lost.callCount).to.equal(1);
    expect(queue.callsOf('delete').length).to.be.at.most(1);
  });
});
