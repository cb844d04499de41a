import { getEventListeners, once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import sinon from 'sinon';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { BrokerError, type BrokerErrorKind } from '../../src/brokers/errors.ts';
import { openSqs } from '../../src/brokers/sqs/broker.ts';
import { rejection } from '../support/rejection.ts';
import { type Fault, type Stub, startStub } from '../support/sqs-stub.ts';

/** Runs the event loop until the condition is true, or until mocha's timeout. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Fakes the timers for deadlines. Connections from before have native timers, which can still be cleared. */
function useFakeTimers(): sinon.SinonFakeTimers {
  return sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldClearNativeTimers: true });
}

async function failureOf(request: Promise<unknown>): Promise<BrokerError> {
  const failure = await rejection<BrokerError>(request);
  expect(failure).to.be.instanceOf(BrokerError);
  return failure;
}

describe('requests to SQS', () => {
  let stub: Stub;
  let broker: Broker;
  let queue: Queue;

  beforeEach(async () => {
    stub = await startStub();
    broker = await openSqs({ endpoint: stub.url, emulator: true });
    queue = await broker.open('jobs');
  });

  afterEach(async () => {
    sinon.restore();
    await broker.close();
    await stub.stop();
  });

  describe('that fail', () => {
    const faults: [string, Fault, BrokerErrorKind][] = [
      ['the server has an error', { status: 500, code: 'InternalFailure' }, 'unreachable'],
      ['the answer is truncated', { reset: true }, 'unreachable'],
      ['SQS throttles', { status: 400, code: 'com.amazonaws.sqs#RequestThrottled' }, 'throttled'],
      [
        'the token has expired',
        { status: 403, code: 'com.amazon.coral.service#ExpiredTokenException' },
        'credentials',
      ],
      [
        'a permission is missing',
        { status: 403, code: 'com.amazon.coral.service#AccessDeniedException' },
        'denied',
      ],
      ['the queue is missing', { status: 400, code: 'com.amazonaws.sqs#QueueDoesNotExist' }, 'missing'],
    ];
    for (const [what, fault, kind] of faults) {
      it(`throw "${kind}" from a receive immediately when ${what}, and then work again`, async () => {
        stub.fault('ReceiveMessage', fault);
        const failure = await failureOf(queue.receive({ max: 1, waitSeconds: 0 }));
        expect(failure.kind).to.equal(kind);
        expect(stub.calls.ReceiveMessage).to.equal(1);
        expect(await queue.receive({ max: 1, waitSeconds: 0 })).to.deep.equal([]);
      });
    }

    it('are retried by the SDK unless they are receives', async () => {
      stub.fault('DeleteMessageBatch', { reset: true });
      stub.fault('DeleteMessageBatch', { status: 503, code: 'ServiceUnavailable' });
      stub.queue('jobs').preload(1);
      const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
      expect(await queue.delete([message!.receiptHandle])).to.deep.equal([{ ok: true }]);
      expect(stub.calls.DeleteMessageBatch).to.equal(3);
    });

    it('throw "unreachable" and name the endpoint when nothing listens there', async () => {
      const nowhere = await openSqs({ endpoint: 'http://127.0.0.1:1', emulator: true });
      const failure = await failureOf(nowhere.open('jobs'));
      expect(failure.kind).to.equal('unreachable');
      expect(failure.message).to.contain('http://127.0.0.1:1 ').and.contain('ECONNREFUSED');
      await nowhere.close();
    });
  });

  describe('that are never answered', () => {
    it('fail five seconds after the wait of a long poll', async () => {
      stub.fault('ReceiveMessage', { silent: true });
      const clock = useFakeTimers();
      const receive = failureOf(queue.receive({ max: 1, waitSeconds: 20 }));
      await until(() => stub.calls.ReceiveMessage === 1);
      await clock.tickAsync(24_999);
      expect(await Promise.race([receive, 'waiting'])).to.equal('waiting');
      await clock.tickAsync(1);
      const failure = await receive;
      expect(failure.kind).to.equal('unreachable');
      expect(failure.message).to.contain('did not answer ReceiveMessage on "jobs" within 25 seconds');
    });

    it('fail five seconds after the wait even if the answer has started', async () => {
      stub.fault('ReceiveMessage', { stalled: true });
      const clock = useFakeTimers();
      const receive = failureOf(queue.receive({ max: 1, waitSeconds: 0 }));
      await until(() => stub.calls.ReceiveMessage === 1);
      await clock.tickAsync(5_000);
      expect((await receive).message).to.contain('within 5 seconds');
    });

    it('fail after ten seconds if the server accepts the connection but does nothing else', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const mute = await openSqs({ endpoint: `https://127.0.0.1:${port}`, emulator: true });
      const clock = useFakeTimers();
      const opening = failureOf(mute.open('jobs'));
      const [socket] = (await once(server, 'connection')) as [Socket];
      await clock.tickAsync(10_000);
      const failure = await opening;
      expect(failure.kind).to.equal('unreachable');
      expect(failure.message).to.contain('within 10 seconds');
      await mute.close();
      socket.destroy();
      server.close();
    });

    it('fail after ten seconds, including retries', async () => {
      stub.fault('DeleteMessageBatch', { status: 503, code: 'ServiceUnavailable' });
      stub.fault('DeleteMessageBatch', { silent: true });
      const clock = useFakeTimers();
      const removal = failureOf(queue.delete(['any']));
      await until(() => stub.calls.DeleteMessageBatch === 1);
      await clock.tickAsync(5_000);
      await until(() => stub.calls.DeleteMessageBatch === 2);
      await clock.tickAsync(5_000);
      expect((await removal).message).to.contain('within 10 seconds');
    });
  });

  describe('that are aborted', () => {
    it('reject with the reason of the signal and hang up', async () => {
      const stop = new AbortController();
      const receive = queue.receive({ max: 1, waitSeconds: 20, signal: stop.signal });
      await until(() => stub.queue('jobs').counts.longPolls === 1);
      const reason = new Error('stopping');
      stop.abort(reason);
      expect(await receive.catch((error: unknown) => error)).to.equal(reason);
      await until(() => stub.queue('jobs').counts.longPolls === 0);
    });

    it('can be aborted while a missing queue is looked up again', async () => {
      stub.fault('ReceiveMessage', { status: 400, code: 'QueueDoesNotExist' });
      await failureOf(queue.receive({ max: 1, waitSeconds: 0 }));
      stub.fault('GetQueueUrl', { silent: true });
      const stop = new AbortController();
      const receive = queue.receive({ max: 1, waitSeconds: 20, signal: stop.signal });
      await until(() => stub.calls.GetQueueUrl === 2);
      const reason = new Error('stopping');
      stop.abort(reason);
      expect(await receive.catch((error: unknown) => error)).to.equal(reason);
    });

    it('send nothing if the signal is already aborted', async () => {
      const reason = new Error('stopping');
      const receive = queue.receive({ max: 1, waitSeconds: 0, signal: AbortSignal.abort(reason) });
      expect(await receive.catch((error: unknown) => error)).to.equal(reason);
      expect(stub.calls.ReceiveMessage).to.equal(undefined);
    });

    it('leave no timer, and no listener on a signal that outlives them', async () => {
      const clock = useFakeTimers();
      const { signal } = new AbortController();
      for (let request = 0; request < 3; request += 1)
        await queue.receive({ max: 1, waitSeconds: 0, signal });
      stub.fault('ReceiveMessage', { status: 500, code: 'InternalFailure' });
      await failureOf(queue.receive({ max: 1, waitSeconds: 0, signal }));
      expect(getEventListeners(signal, 'abort')).to.have.length(0);
      expect(clock.countTimers()).to.equal(0);
    });

    it('fail when the broker is closed', async () => {
      const receive = failureOf(queue.receive({ max: 1, waitSeconds: 20 }));
      await until(() => stub.queue('jobs').counts.longPolls === 1);
      await broker.close();
      expect((await receive).message).to.contain('was closed');
      await until(() => stub.queue('jobs').counts.longPolls === 0);
    });
  });

  it('do not wait for sixty long polls', async () => {
    const stop = new AbortController();
    const { signal } = stop;
    const polls = Array.from({ length: 60 }, () => queue.receive({ max: 1, waitSeconds: 20, signal }));
    const ends = Promise.allSettled(polls);
    await until(() => stub.queue('jobs').counts.longPolls === 60);
    expect(await queue.delete(['any'])).to.have.length(1);
    stop.abort();
    await ends;
  });
});
