import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { openRedis } from '../../src/brokers/redis/open.ts';
import { bodies, receiveAll, receiveNow, receiveOne, send } from '../../src/contract/operations.ts';
import { rejection } from '../support/rejection.ts';
import { type RedisServer, redis, startRedis } from '../support/servers/redis.ts';

describe('a Redis server that fails', () => {
  let server: RedisServer;
  let broker: Broker;
  let queue: Queue;
  let admin: Redis;

  before(function () {
    if (!redis.isInstalled()) this.skip();
  });

  beforeEach(async () => {
    server = await startRedis();
    broker = await openRedis(server.address);
    queue = await broker.open('orders');
    admin = new Redis(server.port);
    admin.on('error', () => {});
  });

  afterEach(async () => {
    admin.disconnect();
    await broker.close();
    await server.stop();
  });

  it('has all messages when it is back, and receipt handles of messages in flight are valid', async () => {
    await send(queue, 'in flight', 'waiting', { body: 'delayed', delaySeconds: 1 });
    const [inFlight] = await receiveNow(queue, 1);
    await server.restart();
    expect(await untilItWorks(() => queue.delete([inFlight!.receiptHandle]))).to.deep.equal([{ ok: true }]);
    expect((await receiveOne(queue)).body).to.equal('waiting');
    expect(bodies(await queue.receive({ max: 10, waitSeconds: 5 }))).to.deep.equal(['delayed']);
    expect((await queue.counts()).visible).to.equal(0);
  });

  it('fails a pending receive immediately, and each request during the outage within seconds', async () => {
    const polling = rejection<BrokerError>(queue.receive({ max: 10, waitSeconds: 20 }));
    await untilItListens();
    const killedAt = performance.now();
    await server.kill();
    const errors = [await polling];
    for (const request of [() => queue.send([{ body: 'x' }]), () => queue.counts(), () => broker.list()]) {
      errors.push(await rejection<BrokerError>(request()));
    }
    for (const error of errors) {
      expect(error).to.be.instanceOf(BrokerError).with.property('kind', 'unreachable');
      expect(error.message).to.contain(`127.0.0.1:${server.port}`);
    }
    expect(performance.now() - killedAt).to.be.below(5_000);
    await server.run();
    await untilItWorks(() => queue.counts());
    await expectToWake();
  });

  it('causes no failures if it is only down for a moment', async () => {
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await send(queue, 'x');
    expect((await receiveOne(queue)).body).to.equal('x');
  });

  it('wakes a pending receive even after the connection for notifications was lost', async () => {
    const polling = queue.receive({ max: 10, waitSeconds: 10 });
    await untilItListens();
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await untilItListens();
    const sentAt = performance.now();
    await send(queue, 'x');
    expect(bodies(await polling)).to.deep.equal(['x']);
    expect(performance.now() - sentAt).to.be.below(500);
  });

  it('is unreachable while it does not answer, and its late answers are ignored', async () => {
    server.signal('SIGSTOP');
    const sending = rejection<BrokerError>(queue.send([{ body: 'may have been sent' }]));
    const receiving = rejection<BrokerError>(queue.receive({ max: 10, waitSeconds: 20 }));
    for (const error of await Promise.all([sending, receiving])) {
      expect(error).to.have.property('kind', 'unreachable');
      expect(error.message).to.contain('did not answer in time');
    }
    server.signal('SIGCONT');
    await untilItWorks(() => queue.counts());
    await queue.purge();
    await send(queue, 'x');
    expect((await receiveOne(queue)).body).to.equal('x');
  });

  it('causes a reconnect when it has become a replica, as in a failover', async () => {
    await send(queue, 'before');
    await admin.call('REPLICAOF', '127.0.0.1', '1');
    const error = await rejection<BrokerError>(queue.send([{ body: 'x' }]));
    expect(error).to.have.property('kind', 'unreachable');
    expect(error.message).to.contain('replica');
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await untilItWorks(() => queue.counts());
    await send(queue, 'after');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['before', 'after']);
  });

  it('accepts no messages when out of memory, but consumers can still handle existing ones', async () => {
    await send(queue, 'x');
    const fifo = await broker.open('orders.fifo');
    await fifo.send([{ body: 'y', groupId: 'g', deduplicationId: '1' }]);
    await admin.call('CONFIG', 'SET', 'maxmemory', '1');
    const error = await rejection<BrokerError>(queue.send([{ body: 'more' }]));
    expect(error).to.have.property('kind', 'unreachable');
    expect(error.message).to.contain('maxmemory');
    const other = await openRedis(server.address);
    for (const name of ['orders', 'orders.fifo']) {
      const full = await other.open(name);
      const message = await receiveOne(full);
      expect(await full.delete([message.receiptHandle])).to.deep.equal([{ ok: true }]);
      expect(await full.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    }
    await other.close();
  });

  it('can lose its cached scripts', async () => {
    await send(queue, 'x');
    await admin.call('SCRIPT', 'FLUSH');
    await send(queue, 'y');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['x', 'y']);
  });

  /** Retries until the call succeeds, like a consumer. */
  async function untilItWorks<Result>(request: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await request();
      } catch (error) {
        expect(error).to.have.property('kind', 'unreachable');
        await sleep(20);
      }
    }
  }

  /** Resolves when a receive is waiting for notifications. */
  async function untilItListens(): Promise<void> {
    const listeners = () =>
      admin.call('PUBSUB', 'NUMSUB', 'sqs-containers:{orders}:queue') as Promise<[string, number]>;
    while ((await listeners())[1] === 0) await sleep(10);
  }

  async function expectToWake(): Promise<void> {
    const polling = queue.receive({ max: 10, waitSeconds: 10 });
    await sleep(50);
    await send(queue, 'news');
    expect(bodies(await polling)).to.contain('news');
  }
});

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
