import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { BrokerError, QueueNotFoundError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { type CountedQueue, queueCounter, waitUntilEmpty } from '../../src/queues/wait-until-empty.ts';
import { rejection } from '../support/rejection.ts';

describe('waiting until queues are empty', () => {
  let clock: SinonFakeTimers;
  let outages: string[];
  beforeEach(() => {
    outages = [];
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    expect(clock.countTimers()).to.equal(0);
    clock.restore();
  });

  function found(visible: number, inFlight = 0, delayed = 0): CountedQueue {
    return { queue: 'jobs', visible, inFlight, delayed };
  }

  /** Waits while the counts return or throw the listed items in turn, and find no messages after that. */
  async function wait(
    list: readonly (CountedQueue | Error)[],
    options: { cycles: number; timeout?: number; every?: number },
  ) {
    const left = [...list];
    let looks = 0;
    const look = async () => {
      const next = left.shift() ?? found(0);
      if (next instanceof Error) throw next;
      return [next];
    };
    const waiting = waitUntilEmpty(look, {
      every: 5,
      onCounts: () => {
        looks += 1;
      },
      onOutage: ({ message }) => outages.push(message),
      ...options,
    });
    // Errors are reported by the await below.
    waiting.catch(() => {});
    await clock.runAllAsync();
    return { isEmpty: await waiting, looks, seconds: performance.now() / 1000 };
  }

  it('counts until no message is visible, in flight or delayed', async () => {
    const list = [found(1), found(0, 1), found(0, 0, 1)];
    expect(await wait(list, { cycles: 1 })).to.deep.equal({ isEmpty: true, looks: 4, seconds: 15 });
  });

  it('requires the given number of empty counts in a row', async () => {
    const list = [found(0), found(0), found(1), found(0)];
    expect(await wait(list, { cycles: 3 })).to.deep.equal({ isEmpty: true, looks: 6, seconds: 25 });
  });

  it('gives up after the timeout, with a final count', async () => {
    const list = Array.from({ length: 10 }, () => found(1));
    expect(await wait(list, { cycles: 1, timeout: 12 })).to.deep.equal({
      isEmpty: false,
      looks: 4,
      seconds: 12,
    });
  });

  it('waits through an outage, reports it once, and starts counting again after it', async () => {
    const away = new BrokerError('unreachable', 'away');
    const throttled = new BrokerError('throttled', 'too many');
    const list = [found(0), away, throttled, away, found(0), found(1), throttled, found(0)];
    expect(await wait(list, { cycles: 2 })).to.deep.equal({ isEmpty: true, looks: 5, seconds: 40 });
    expect(outages).to.deep.equal(['away', 'too many']);
  });

  it('retries an unreachable broker at most once a second, and not after the timeout', async () => {
    const list = [found(1), ...Array.from({ length: 100 }, () => new BrokerError('credentials', 'expired'))];
    expect(await wait(list, { cycles: 1, timeout: 10, every: 0.5 })).to.deep.equal({
      isEmpty: false,
      looks: 1,
      seconds: 10,
    });
    expect(outages).to.deep.equal(['expired']);
  });

  it('throws the first error of a broker that has never responded, and any permanent error', async () => {
    const away = new BrokerError('unreachable', 'away');
    const missing = new QueueNotFoundError('jobs', 'memory');
    expect(await rejection(wait([away], { cycles: 1 }))).to.equal(away);
    expect(await rejection(wait([found(1), missing], { cycles: 1 }))).to.equal(missing);
    expect(outages).to.deep.equal([]);
  });

  it('creates no queue: a queue that a container will create counts as empty, any other is an error', async () => {
    const broker = new MemoryBroker();
    await broker.create('jobs');
    await (await broker.open('jobs')).send([{ body: 'x' }]);
    const look = queueCounter(broker, ['jobs', 'later'], ['jobs', 'later']);
    expect(await look()).to.deep.equal([found(1), { queue: 'later', visible: 0, inFlight: 0, delayed: 0 }]);
    expect(await rejection(queueCounter(broker, ['later'], [])())).to.be.instanceOf(QueueNotFoundError);
    expect(await broker.list()).to.deep.equal(['jobs']);
  });
});
