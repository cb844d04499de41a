import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { TransientError } from '../../src/worker/errors.ts';
import { type Fault, refused, sleep } from '../support/faulty-queue.ts';
import { bodiesOf, running } from './running.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));
const unreachable = new BrokerError('unreachable', 'down');
const busy = refused('InternalError', true);
const gone = refused('ReceiptHandleIsInvalid', false);
const nothing = { visible: 0, inFlight: 0, delayed: 0 };

describe('settling', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('deletes ten messages with one request, and handles the next ones meanwhile', async () => {
    const { queue, consumer, run, started } = await running(() => sleep(5), {}, { bodies: numbers(30) });
    queue.always.delete = { milliseconds: 20 };
    await clock.tickAsync(300);
    expect(started).to.have.length(30);
    expect(queue.callsOf('delete').map(({ entries }) => entries.length)).to.deep.equal([10, 10, 10]);
    consumer.stop();
    await clock.tickAsync(3_000);
    await run;
  });

  it('lets no outcome wait longer than the settle delay', async () => {
    const { queue } = await running(() => {}, { settleDelay: 250 }, { bodies: ['a'] });
    await clock.tickAsync(249);
    expect(queue.callsOf('delete')).to.have.length(0);
    await clock.tickAsync(1);
    expect(queue.callsOf('delete')).to.have.length(1);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('makes no request when there is nothing to settle', async () => {
    const { queue } = await running(() => {});
    await clock.tickAsync(600_000);
    expect(queue.calls.filter(({ action }) => action !== 'receive')).to.deep.equal([]);
  });

  it('retries a failed delete, and never handles the message twice', async () => {
    const { queue, started } = await running(() => {}, {}, { bodies: ['a'] });
    queue.faults.delete.push({ error: unreachable }, { error: unreachable });
    await clock.tickAsync(120_000);
    expect(started).to.deep.equal(['a']);
    expect(queue.callsOf('delete')).to.have.length(3);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('retries only the failed entries', async () => {
    const { queue, started } = await running(() => {}, {}, { bodies: numbers(10) });
    queue.faults.delete.push({
      entries: (_, index) => (index === 3 ? refused('InternalError', true) : undefined),
    });
    await clock.tickAsync(120_000);
    const sizes = queue.callsOf('delete').map(({ entries }) => entries.length);
    expect(sizes.reduce((sum, size) => sum + size)).to.equal(11);
    expect(sizes.at(-1)).to.equal(1);
    expect(started).to.have.length(10);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  describe('when several entries in a response failed', () => {
    /** Two retryable and two permanent failures, among successful entries. */
    const fault: Fault = {
      entries: (_, index) =>
        [undefined, undefined, busy, undefined, busy, undefined, gone, undefined, gone][index],
    };
    const settledNames = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a7', 'a9'];
    const namesOf = (spy: sinon.SinonSpy) => spy.args.map(([{ message }]) => message.body);

    it('deletes each of them later, or loses its lease', async () => {
      const observer = { settled: sinon.spy(), leaseLost: sinon.spy() };
      const { queue, consumer, started } = await running(
        () => {},
        {},
        { bodies: bodiesOf('a', 10), observer },
      );
      queue.faults.delete.push(fault);
      await clock.tickAsync(5_000);
      expect(namesOf(observer.settled)).to.have.members(settledNames);
      expect(namesOf(observer.leaseLost)).to.deep.equal(['a6', 'a8']);
      expect([consumer.held, await queue.counts()]).to.deep.equal([
        0,
        { visible: 0, inFlight: 2, delayed: 0 },
      ]);
      await clock.tickAsync(60_000);
      expect([started.length, await queue.counts()]).to.deep.equal([10, nothing]);
    });

    it('returns each of them later, or loses its lease', async () => {
      const observer = { settled: sinon.spy(), leaseLost: sinon.spy() };
      const failing = () => {
        throw new Error('no such user');
      };
      const options = { onError: 'retry', backoff: () => 600, concurrency: 10 } as const;
      const { queue, consumer } = await running(failing, options, { bodies: bodiesOf('a', 10), observer });
      queue.faults.changeVisibility.push(fault);
      await clock.tickAsync(5_000);
      expect(namesOf(observer.settled)).to.have.members(settledNames);
      expect(namesOf(observer.leaseLost)).to.deep.equal(['a6', 'a8']);
      expect(consumer.held).to.equal(0);
    });
  });

  it('keeps the message invisible while its delete is retried', async () => {
    const { queue, started } = await running(() => {}, { visibilityTimeout: 2 }, { bodies: ['a'] });
    queue.always.delete = { error: unreachable };
    await clock.tickAsync(60_000);
    delete queue.always.delete;
    await clock.tickAsync(60_000);
    expect(started).to.deep.equal(['a']);
    expect((await queue.counts()).inFlight).to.equal(0);
  });

  it('keeps the message invisible during a slow delete', async () => {
    const { queue, started } = await running(() => {}, { visibilityTimeout: 3 }, { bodies: ['a'] });
    queue.faults.delete.push({ milliseconds: 2_000 });
    await clock.tickAsync(60_000);
    expect(started).to.deep.equal(['a']);
  });

  it('deletes a message that arrives again because its delete was lost, without handling it again', async () => {
    const { queue, started } = await running(() => {}, { visibilityTimeout: 2 }, { bodies: ['a'] });
    queue.always.delete = { error: unreachable };
    queue.always.changeVisibility = { error: unreachable };
    await clock.tickAsync(10_000);
    queue.always.delete = queue.always.changeVisibility = { milliseconds: 0 };
    await clock.tickAsync(60_000);
    expect(queue.callsOf('receive').length).to.be.greaterThan(1);
    expect(started).to.deep.equal(['a']);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('leaves a message to be retried until its visibility timeout ends, without a request', async () => {
    const { queue, started } = await running(
      () => {
        throw new TransientError();
      },
      {},
      { bodies: ['a'] },
    );
    await clock.tickAsync(29_000);
    expect(started).to.deep.equal(['a']);
    await clock.tickAsync(2_000);
    expect(started).to.deep.equal(['a', 'a']);
    expect(queue.callsOf('changeVisibility')).to.deep.equal([]);
  });

  it('makes a message with a delay visible after that delay, and no lease extension changes it', async () => {
    const { queue, started } = await running(
      async ({ receiveCount }) => {
        await sleep(950);
        if (receiveCount === 1) throw new TransientError({ delay: 90 });
      },
      { visibilityTimeout: 2 },
      { bodies: ['a'] },
    );
    queue.always.changeVisibility = { milliseconds: 60 };
    await clock.tickAsync(90_000);
    expect(started).to.deep.equal(['a']);
    await clock.tickAsync(3_000);
    expect(started).to.deep.equal(['a', 'a']);
  });
});
