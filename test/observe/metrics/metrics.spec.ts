import { expect } from 'chai';
import sinon from 'sinon';
import { countOf } from '../../../src/observe/metrics/histogram.ts';
import { Metrics } from '../../../src/observe/metrics/metrics.ts';
import { ended, KEPT_FAILURES, totalOf } from '../../../src/observe/metrics/snapshot.ts';
import { running, settled } from '../../consumer/running.ts';
import { sleep } from '../../support/faulty-queue.ts';

const load = { name: 'work', held: 3, running: 1, failing: false, silentSeconds: 2 };

describe('the metrics of a consumer', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => clock.restore());

  /** Runs messages until none is left. */
  async function metricsOf(bodies: readonly string[], handle: (body: string) => void | Promise<void>) {
    const metrics = new Metrics();
    const { consumer } = await running(
      ({ body }) => handle(body),
      { onError: 'retry', visibilityTimeout: 600 },
      { bodies, observer: metrics },
    );
    await clock.tickAsync(60_000);
    return metrics.snapshot(1, consumer.loads);
  }

  it('count received messages and outcomes', async () => {
    const { queues } = await metricsOf(['a', 'b', 'bad'], (body) => {
      if (body === 'bad') throw new Error('no');
    });
    expect(queues.work).to.include({ worked: true, received: 3, failedReceives: 0, held: 0, running: 0 });
    expect(queues.work?.outcomes).to.deep.equal({ handled: 2, dropped: 0, retried: 1, buried: 0 });
    expect(queues.work?.fullReceives).to.be.within(1, 3);
    expect(queues.work?.emptyReceives).to.be.within(2, 4);
  });

  it('measure how long workers took and how old messages were, in seconds', async () => {
    const { queues } = await metricsOf(['a', 'b'], () => sleep(2_000));
    expect(queues.work?.handling.sum).to.be.closeTo(4, 0.01);
    expect(countOf(queues.work!.handling)).to.equal(2);
    expect(queues.work?.age.sum).to.be.closeTo(2, 0.1);
  });

  it('keep the last failures, newest first, without secrets', async () => {
    const bodies = Array.from({ length: KEPT_FAILURES + 5 }, (_, n) => JSON.stringify({ n, token: 'abc' }));
    const { failures } = await metricsOf(bodies, () => {
      throw new TypeError('password=abc refused');
    });
    expect(failures).to.have.length(KEPT_FAILURES);
    expect(failures[0]).to.include({
      queue: 'work',
      receiveCount: 1,
      error: 'TypeError: password=*** refused',
      body: `{"n":${KEPT_FAILURES + 4},"token":"***"}`,
      outcome: 'retried',
    });
  });

  it('keep the body of a failure without secrets, even if it was in base64', async () => {
    const body = Buffer.from('[["ann"], {"password": "abc"}]').toString('base64');
    const { failures } = await metricsOf([body], () => {
      throw new TypeError('refused');
    });
    expect(failures[0]).to.include({ body: '[["ann"],{"password":"***"}]' });
  });

  it('count requests by action and as billed by SQS', () => {
    const metrics = new Metrics();
    metrics.requested('work', 'ReceiveMessage', 70_000);
    metrics.requested('work', 'ReceiveMessage', 0);
    metrics.requested('work', 'DeleteMessageBatch', 0);
    const { queues } = metrics.snapshot(1, []);
    expect(queues.work?.requests).to.deep.equal({ ReceiveMessage: 2, DeleteMessageBatch: 1 });
    expect(queues.work?.billedRequests).to.equal(4);
    expect(queues.work?.worked).to.equal(false);
  });

  it('are returned as a snapshot that no longer changes', () => {
    const metrics = new Metrics();
    metrics.requested('work', 'ReceiveMessage', 0);
    const before = metrics.snapshot(1, [load]);
    const copy = structuredClone(before);
    metrics.requested('work', 'ReceiveMessage', 0);
    metrics.requested('other', 'SendMessageBatch', 0);
    expect(before).to.deep.equal(copy);
  });

  it('survive JSON', async () => {
    const snapshot = await metricsOf(['a'], () => {});
    await settled();
    expect(JSON.parse(JSON.stringify(snapshot))).to.deep.equal(snapshot);
  });
});

describe('the snapshots of several processes', () => {
  function snapshotOf(queue: string, failing = false) {
    const metrics = new Metrics();
    metrics.received({ name: queue }, []);
    metrics.requested(queue, 'ReceiveMessage', 0);
    return metrics.snapshot(2, [{ ...load, name: queue, failing }]);
  }

  it('add up', () => {
    const total = totalOf([snapshotOf('work'), snapshotOf('work', true), snapshotOf('other')]);
    expect(total.slots).to.equal(6);
    expect(Object.keys(total.queues)).to.deep.equal(['work', 'other']);
    expect(total.queues.work).to.deep.include({
      emptyReceives: 2,
      held: 6,
      running: 2,
      failing: 1,
      silentSeconds: 2,
      requests: { ReceiveMessage: 2 },
    });
  });

  it('mark a queue as worked if one of them does', () => {
    const asking = new Metrics();
    asking.requested('work', 'GetQueueAttributes', 0);
    const total = totalOf([asking.snapshot(0, []), snapshotOf('work')]);
    expect(total.queues.work).to.deep.include({
      worked: true,
      requests: { GetQueueAttributes: 1, ReceiveMessage: 1 },
    });
  });

  it('hold no messages once a process has exited, but keep its counts', () => {
    const { slots, queues } = ended(snapshotOf('work', true));
    expect(slots).to.equal(0);
    expect(queues.work).to.include({ emptyReceives: 1, held: 0, running: 0, failing: 0, silentSeconds: 0 });
  });
});
