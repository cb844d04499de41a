import { expect } from 'chai';
import pg from 'pg';
import { bodies, brokerError, receiveAll, send } from '../../src/broker-contract/steps.ts';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { openPostgres } from '../../src/brokers/database/postgres/open.ts';
import { postgres, startPostgres } from '../servers/postgres.ts';
import type { StartedServer } from '../servers/server.ts';

describe('the postgres broker, when its server', () => {
  let server: StartedServer;
  let admin: pg.Client;
  let broker: Broker;
  let queue: Queue;

  before(async function () {
    if (!postgres.isInstalled()) this.skip();
    server = await startPostgres();
  });

  beforeEach(async () => {
    admin = new pg.Client(server.address);
    admin.on('error', () => {});
    await admin.connect();
    broker = await openPostgres(server.address);
    queue = await broker.open('q');
    await queue.purge();
  });

  afterEach(async () => {
    await broker.close();
    await admin.end();
  });

  after(() => server?.stop());

  it('crashes and is back: fails meanwhile, loses nothing, and works on', async () => {
    await send(queue, ...Array.from({ length: 10 }, (_, index) => `${index}`));
    const inFlight = await queue.receive({ max: 4, waitSeconds: 0, visibilityTimeout: 600 });
    const other = await broker.open('empty');
    const waiting = untilItEnds(other);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.restart();
    await send(other, 'late').catch(() => send(other, 'late'));
    expect(await waiting).to.equal('late');
    expect(await queue.counts()).to.deep.equal({ visible: 6, inFlight: 4, delayed: 0 });
    expect(await queue.delete(inFlight.map(({ receiptHandle }) => receiptHandle))).to.deep.equal(
      inFlight.map(() => ({ ok: true })),
    );
    expect(await receiveAll(queue)).to.have.length(6);
  });

  it('ends connections: the next statements and notifications use new ones', async () => {
    const waiting = untilItEnds(queue);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await admin.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sqs-containers'",
    );
    await send(queue, 'x').catch(() => send(queue, 'x'));
    expect(await waiting).to.equal('x');
    // Notifications come again: without them, the look once a second would take 400 ms more.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const again = untilItEnds(queue);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const sentAt = performance.now();
    await send(queue, 'y');
    expect(await again).to.equal('y');
    expect(performance.now() - sentAt).to.be.below(500);
  });

  it('is read-only: fails as unreachable, and works on with the same broker', async () => {
    await setReadOnly('on');
    try {
      const error = await brokerError(queue.send([{ body: 'x' }]));
      expect(error).to.have.property('kind', 'unreachable');
      expect(error.message).to.contain('read-only');
    } finally {
      await setReadOnly('off');
    }
    await send(queue, 'y');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['y']);
  });

  it('has no connection left: fails as unreachable', async () => {
    const address = new URL(server.address);
    address.username = 'limited';
    await admin.query('create role limited login connection limit 0');
    expect(await brokerError(openPostgres(address.href))).to.have.property('kind', 'unreachable');
  });

  async function setReadOnly(value: 'on' | 'off'): Promise<void> {
    await admin.query(`alter system set default_transaction_read_only = ${value}`);
    await admin.query('select pg_reload_conf()');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

/** The body that a waiting receive ends with, tried again as consumers do when it fails as unreachable. */
async function untilItEnds(queue: Queue): Promise<string> {
  for (;;) {
    try {
      const [message] = await queue.receive({ max: 1, waitSeconds: 30 });
      await queue.delete([message!.receiptHandle]);
      return message!.body;
    } catch (error) {
      expect(error).to.have.property('kind', 'unreachable');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
