import { expect } from 'chai';
import pg from 'pg';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { startTcpProxy } from '../../harness/tcp-proxy.ts';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { openPostgres } from '../../src/brokers/sql/postgres/open.ts';
import { bodies, brokerError, receiveAll, send } from '../../src/contract/operations.ts';
import { postgres, startPostgres } from '../support/servers/postgres.ts';
import type { StartedServer } from '../support/servers/programs.ts';

describe('the postgres broker, when its server', () => {
  let server: StartedServer;
  let admin: pg.Client;
  let broker: Broker;
  let queue: Queue;
  let clock: SinonFakeTimers | undefined;

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
    clock?.restore();
    await broker.close();
    await admin.end();
  });

  after(() => server?.stop());

  it('crashes and restarts: fails in the meantime, loses no message, and recovers', async () => {
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

  it('closes connections: the next statements and notifications use new ones', async () => {
    const waiting = untilItEnds(queue);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await endConnections();
    await send(queue, 'x').catch(() => send(queue, 'x'));
    expect(await waiting).to.equal('x');
    // Notifications work again: without them, polling once a second would take 400 ms longer.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const again = untilItEnds(queue);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const sentAt = performance.now();
    await send(queue, 'y');
    expect(await again).to.equal('y');
    expect(performance.now() - sentAt).to.be.below(500);
  });

  it('is read-only: fails as unreachable, and then recovers with the same broker', async () => {
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

  it('fails over to another server: a new connection reaches it', async () => {
    // Existing connections keep the database settings from when they connected.
    await admin.query('alter database postgres set default_transaction_read_only = on');
    await endConnections();
    const error = await brokerError(queue.send([{ body: 'x' }]).catch(() => queue.send([{ body: 'x' }])));
    expect(error.message).to.contain('read-only');
    await admin.query('alter database postgres reset default_transaction_read_only');
    await send(queue, 'y');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['y']);
  });

  it('has no connections left: fails as unreachable until one is free', async () => {
    const address = new URL(server.address);
    address.username = 'limited';
    await admin.query('create role limited superuser login');
    const limited = await openPostgres(address.href);
    const jobs = await limited.open('q');
    await admin.query('alter role limited nosuperuser connection limit 0');
    await admin.query('grant all on schema sqs_containers to limited');
    await admin.query('grant all on all tables in schema sqs_containers to limited');
    await endConnections();
    const error = await brokerError(jobs.counts().catch(() => jobs.counts()));
    expect(error).to.have.property('kind', 'unreachable');
    expect(error.message).to.contain('max_connections').and.to.contain('too many connections');
    await admin.query('alter role limited connection limit 9');
    await send(jobs, 'x');
    expect(bodies(await receiveAll(jobs))).to.deep.equal(['x']);
    await limited.close();
  });

  it('cancels our statements that take too long, also outside of transactions', async () => {
    await admin.query(`
      create table seen (setting text);
      create function note() returns trigger language plpgsql as $$
        begin insert into seen values (current_setting('statement_timeout')); return null; end $$;
      create trigger note after insert on sqs_containers.message execute function note()`);
    await send(queue, 'x');
    await admin.query('drop trigger note on sqs_containers.message');
    expect((await admin.query('select setting from seen')).rows).to.deep.equal([{ setting: '10s' }]);
  });

  it('stops answering: requests fail in time, and no message is lost', async () => {
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const address = new URL(server.address);
    const proxy = await startTcpProxy(Number(address.port));
    address.port = String(proxy.port);
    const stalled = await openPostgres(address.href);
    const jobs = await stalled.open('q');
    await send(jobs, 'before');
    const [message] = await receiveAll(jobs);
    proxy.stall(true);
    const failing = Promise.all(
      [
        () => jobs.send([{ body: 'may have been sent' }]),
        () => jobs.delete([message!.receiptHandle]),
        () => jobs.receive({ max: 10, waitSeconds: 20 }),
      ].map((request) => brokerError(request())),
    );
    await clock.tickAsync(15_000);
    for (const error of await failing) {
      expect(error).to.have.property('kind', 'unreachable');
      expect(error.message).to.match(/took too long|cannot be reached/);
    }
    proxy.stall(false);
    expect(await jobs.delete([message!.receiptHandle])).to.deep.equal([{ ok: true }]);
    await jobs.purge();
    await send(jobs, 'after');
    expect(bodies(await receiveAll(jobs))).to.deep.equal(['after']);
    await stalled.close();
    await proxy.close();
  });

  async function endConnections(): Promise<void> {
    await admin.query(
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'sqs-containers'",
    );
  }

  async function setReadOnly(value: 'on' | 'off'): Promise<void> {
    await admin.query(`alter system set default_transaction_read_only = ${value}`);
    await admin.query('select pg_reload_conf()');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

/** Receives with a long poll, retrying like a consumer while the server is unreachable, and returns the body. */
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
