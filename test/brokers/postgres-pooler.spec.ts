import { expect } from 'chai';
import pg from 'pg';
import type { Broker } from '../../src/brokers/broker.ts';
import { openPostgres } from '../../src/brokers/sql/postgres/open.ts';
import { bodies, receiveAll, send, sendToGroup } from '../../src/contract/operations.ts';
import { type Pooler, pgbouncer, startPgbouncer } from '../support/servers/pgbouncer.ts';
import { postgres, startPostgres } from '../support/servers/postgres.ts';
import type { StartedServer } from '../support/servers/programs.ts';

describe('the postgres broker behind a pooler that assigns a connection to each transaction', () => {
  let server: StartedServer;
  let pooler: Pooler;
  let pooled: Broker;
  let direct: Broker;

  before(async function () {
    if (!postgres.isInstalled() || !pgbouncer.isInstalled()) this.skip();
    server = await startPostgres();
    pooler = await startPgbouncer(server.address);
    pooled = await openPostgres(pooler.address);
    direct = await openPostgres(server.address);
  });

  after(async () => {
    await pooled?.close();
    await direct?.close();
    await pooler?.stop();
    await server?.stop();
  });

  it('receives messages in the order of their groups, and deletes them', async () => {
    const queue = await pooled.open('orders.fifo');
    await sendToGroup(queue, 'g', 'first', 'second');
    const received = await receiveAll(queue);
    expect(bodies(received)).to.deep.equal(['first', 'second']);
    const handles = received.map(({ receiptHandle }) => receiptHandle);
    expect(await queue.delete(handles)).to.deep.equal([{ ok: true }, { ok: true }]);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('polls once a second for messages from other brokers, because it gets no notifications', async () => {
    const queue = await pooled.open('jobs');
    const polling = queue.receive({ max: 10, waitSeconds: 20 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const sentAt = performance.now();
    await send(await direct.open('jobs'), 'x');
    expect(bodies(await polling)).to.deep.equal(['x']);
    expect(performance.now() - sentAt).to.be.below(5_000);
  });

  it('delivers each message to exactly one of many consumers', async () => {
    const queue = await pooled.open('shared');
    await send(queue, ...'abcdefghij');
    const received = await Promise.all(Array.from({ length: 8 }, () => receiveAll(queue)));
    expect(bodies(received.flat()).sort().join('')).to.equal('abcdefghij');
  });

  it('leaves no state on connections that other clients reuse', async () => {
    const queue = await pooled.open('settings');
    await send(queue, 'x');
    const client = new pg.Client(pooler.address);
    await client.connect();
    for (const setting of ['statement_timeout', 'idle_in_transaction_session_timeout']) {
      expect((await client.query(`show ${setting}`)).rows).to.deep.equal([{ [setting]: '0' }]);
    }
    await client.end();
  });
});
