import { expect } from 'chai';
import sinon from 'sinon';
import type { EntryFailure, SendResult } from '../../src/brokers/broker.ts';
import { BrokerError, QueueNotFoundError } from '../../src/brokers/errors.ts';
import { TransientError } from '../../src/worker/errors.ts';
import { type FaultyQueue, refused } from '../support/faulty-queue.ts';
import { bodiesIn, bodiesOf, faultyQueue, running, settled } from './running.ts';

const unreachable = new BrokerError('unreachable', 'down');
const nothing = { visible: 0, inFlight: 0, delayed: 0 };

describe('on_error = dead_letter', () => {
  let clock: sinon.SinonFakeTimers;
  let deadLetterQueue: FaultyQueue;
  beforeEach(async () => {
    clock = sinon.useFakeTimers();
    deadLetterQueue = await faultyQueue('failed');
  });
  afterEach(() => clock.restore());

  const failing = () => {
    throw new Error('no such user');
  };
  const bury = () => ({ onError: 'dead_letter', deadLetterQueue }) as const;

  it('sends a complete copy of the message, and then deletes the message', async () => {
    const { queue } = await running(failing, bury());
    const attributes = { tenant: { dataType: 'String', stringValue: 'acme' } };
    await queue.send([{ body: 'a', attributes, groupId: 'g' }]);
    await clock.tickAsync(1_000);
    const [copy] = await deadLetterQueue.receive({ max: 10, waitSeconds: 0 });
    expect(copy).to.deep.include({ body: 'a', attributes, groupId: 'g', receiveCount: 1 });
    expect(await queue.counts()).to.deep.equal(nothing);
    const [sentAt] = deadLetterQueue.callsOf('send').map(({ at }) => at);
    const [deletedAt] = queue.callsOf('delete').map(({ at }) => at);
    expect(sentAt).to.be.lessThan(deletedAt!);
  });

  it("also sends a complete copy to a FIFO queue, in the message's group or in a new group", async () => {
    deadLetterQueue = await faultyQueue('failed.fifo');
    const { queue } = await running(failing, bury());
    const attributes = { tenant: { dataType: 'String', stringValue: 'acme' } };
    const sent = await queue.send([
      { body: 'a', attributes, groupId: 'g' },
      { body: 'b', attributes },
    ]);
    await clock.tickAsync(1_000);
    const [a, b] = await deadLetterQueue.receive({ max: 10, waitSeconds: 0 });
    expect(a).to.deep.include({ body: 'a', attributes, groupId: 'g' });
    const { messageId } = sent[1] as SendResult & { ok: true };
    expect(b).to.deep.include({ body: 'b', attributes, groupId: messageId, deduplicationId: messageId });
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('sends ten copies with one request', async () => {
    await running(failing, bury(), { bodies: bodiesOf('a', 30) });
    await clock.tickAsync(5_000);
    expect(deadLetterQueue.callsOf('send').map(({ entries }) => entries.length)).to.deep.equal([10, 10, 10]);
  });

  it('keeps each request within the size limit', async () => {
    const large = bodiesOf('a', 10).map((body) => body + 'x'.repeat(300_000));
    await running(failing, bury(), { bodies: large });
    await clock.tickAsync(5_000);
    expect(deadLetterQueue.callsOf('send').map(({ entries }) => entries.length)).to.deep.equal([3, 3, 3, 1]);
    expect((await deadLetterQueue.counts()).visible).to.equal(10);
  });

  it('can use a FIFO queue, which keeps only one of two identical copies', async () => {
    deadLetterQueue = await faultyQueue('failed.fifo');
    deadLetterQueue.faults.send.push({ error: unreachable, worked: true });
    const { queue } = await running(failing, bury(), { bodies: ['same', 'same'] });
    await clock.tickAsync(10_000);
    expect(await bodiesIn(deadLetterQueue)).to.deep.equal(['same', 'same']);
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('keeps the message until the copy is sent, however long sending fails', async () => {
    deadLetterQueue.always.send = { error: new QueueNotFoundError('failed', 'memory:') };
    const { queue, started } = await running(failing, { ...bury(), visibilityTimeout: 2 }, { bodies: ['a'] });
    await clock.tickAsync(600_000);
    expect(queue.callsOf('delete')).to.deep.equal([]);
    expect((await queue.counts()).inFlight).to.equal(1);
    delete deadLetterQueue.always.send;
    await clock.tickAsync(15_000);
    expect(started).to.deep.equal(['a']);
    expect(await bodiesIn(deadLetterQueue)).to.deep.equal(['a']);
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('keeps the lease while a copy takes longer than the visibility timeout', async () => {
    deadLetterQueue.always.send = { milliseconds: 7_000 };
    const { queue, started } = await running(failing, { ...bury(), visibilityTimeout: 2 }, { bodies: ['a'] });
    await clock.tickAsync(60_000);
    expect(started).to.deep.equal(['a']);
    expect(await bodiesIn(deadLetterQueue)).to.deep.equal(['a']);
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('resends only the failed copies', async () => {
    const { queue } = await running(failing, bury(), { bodies: bodiesOf('a', 10) });
    deadLetterQueue.faults.send.push({
      entries: (body) => (body === 'a4' ? refused('InternalError', true) : undefined),
    });
    await clock.tickAsync(10_000);
    expect((await bodiesIn(deadLetterQueue)).sort()).to.deep.equal(bodiesOf('a', 10));
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('resends each failed copy, and loses the lease of each refused copy', async () => {
    const leaseLost = sinon.spy();
    const { queue, consumer } = await running(failing, bury(), {
      bodies: bodiesOf('a', 10),
      observer: { leaseLost },
    });
    const busy = refused('InternalError', true);
    const invalid = refused('InvalidMessageContents', false);
    const failures: Record<string, EntryFailure> = { a2: busy, a4: busy, a6: invalid, a8: invalid };
    deadLetterQueue.faults.send.push({ entries: (body) => failures[body] });
    await clock.tickAsync(5_000);
    expect((await bodiesIn(deadLetterQueue)).sort()).to.deep.equal([
      'a0',
      'a1',
      'a2',
      'a3',
      'a4',
      'a5',
      'a7',
      'a9',
    ]);
    expect(leaseLost.args.map(([{ message }]) => message.body)).to.deep.equal(['a6', 'a8']);
    expect(consumer.held).to.equal(0);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 2, delayed: 0 });
  });

  it('buries none of ten messages twice, however often their deletes fail, partly or completely', async () => {
    const { queue } = await running(failing, bury(), { bodies: bodiesOf('a', 10) });
    const busy = refused('InternalError', true);
    queue.faults.delete.push(
      { entries: (_, index) => (index % 3 === 1 ? busy : undefined) },
      { entries: (_, index) => (index === 1 ? busy : undefined) },
      { error: unreachable },
    );
    await clock.tickAsync(30_000);
    expect(await queue.counts()).to.deep.equal(nothing);
    const copies = deadLetterQueue.callsOf('send').flatMap(({ entries }) => entries);
    expect(copies).to.have.length(10);
  });

  it('does not bury a message twice if only the delete fails', async () => {
    const { queue } = await running(failing, bury(), { bodies: ['a'] });
    queue.faults.delete.push({ error: unreachable }, { entries: () => refused('InternalError', true) });
    await clock.tickAsync(30_000);
    expect(queue.callsOf('delete')).to.have.length(3);
    expect(deadLetterQueue.callsOf('send')).to.have.length(1);
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('does not bury or handle a message twice if the lease is lost before the delete', async () => {
    const { queue, started } = await running(failing, { ...bury(), visibilityTimeout: 2 }, { bodies: ['a'] });
    queue.always.delete = queue.always.changeVisibility = { error: unreachable };
    await clock.tickAsync(10_000);
    delete queue.always.delete;
    delete queue.always.changeVisibility;
    await clock.tickAsync(60_000);
    expect(started).to.deep.equal(['a']);
    expect(deadLetterQueue.callsOf('send')).to.have.length(1);
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('does not bury a message twice, and releases it, if the delete is permanently refused', async () => {
    const { queue, consumer, started } = await running(
      failing,
      { ...bury(), visibilityTimeout: 10 },
      { bodies: ['a'] },
    );
    queue.faults.delete.push({ entries: () => refused('ReceiptHandleIsInvalid', false) });
    await clock.tickAsync(2_000);
    expect(consumer.held).to.equal(0);
    await clock.tickAsync(30_000);
    expect(started).to.deep.equal(['a']);
    expect(deadLetterQueue.callsOf('send')).to.have.length(1);
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('does not lose the message if the dead-letter queue permanently refuses the copy', async () => {
    const leaseLost = sinon.spy();
    const { queue, started } = await running(failing, bury(), { bodies: ['a'], observer: { leaseLost } });
    deadLetterQueue.faults.send.push({ entries: () => refused('InvalidMessageContents', false) });
    await clock.tickAsync(20_000);
    expect(leaseLost.args[0]![1]).to.include('InvalidMessageContents');
    expect((await queue.counts()).inFlight).to.equal(1);
    await clock.tickAsync(60_000);
    expect(started).to.deep.equal(['a', 'a']);
    expect(await bodiesIn(deadLetterQueue)).to.deep.equal(['a']);
  });

  it('also buries messages during a drain', async () => {
    const { consumer, run, queue } = await running(failing, bury(), { bodies: bodiesOf('a', 15) });
    deadLetterQueue.faults.send.push({ error: unreachable });
    await clock.tickAsync(10);
    consumer.stop();
    await clock.tickAsync(15_000);
    const report = await run;
    expect(report.mayRunAgain).to.equal(0);
    const { visible, inFlight } = await queue.counts();
    expect([inFlight, visible + (await deadLetterQueue.counts()).visible]).to.deep.equal([0, 15]);
  });

  it('does not delay a drain once copy and delete are confirmed', async () => {
    const { consumer, run, queue } = await running(
      failing,
      { ...bury(), settleDelay: 5_000 },
      { bodies: ['a'] },
    );
    queue.abortsReceives = true;
    deadLetterQueue.always.send = { milliseconds: 1_100 };
    queue.always.delete = { milliseconds: 200 };
    await settled();
    consumer.stop();
    const ended = sinon.spy();
    void run.then(ended);
    await clock.tickAsync(1_299);
    expect(ended.callCount).to.equal(0);
    await clock.tickAsync(1);
    expect(ended.callCount).to.equal(1);
    expect([(await run).confirmed, await queue.counts()]).to.deep.equal([1, nothing]);
  });

  it('does not bury a TransientError', async () => {
    const { queue } = await running(
      () => {
        throw new TransientError({ delay: 60 });
      },
      bury(),
      { bodies: ['a'] },
    );
    await clock.tickAsync(1_000);
    expect(deadLetterQueue.calls).to.deep.equal([]);
    expect((await queue.counts()).inFlight).to.equal(1);
  });
});
