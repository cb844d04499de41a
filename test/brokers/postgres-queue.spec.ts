import { expect } from 'chai';
import pg from 'pg';
import type { Broker, CreateOptions, Queue } from '../../src/brokers/broker.ts';
import { openPostgres } from '../../src/brokers/sql/postgres/open.ts';
import { freshName } from '../../src/contract/broker-under-test.ts';
import { bodies, makeVisible, receiveAll, send } from '../../src/contract/operations.ts';
import { postgres } from '../support/servers/postgres.ts';

describe('a queue in Postgres', () => {
  let broker: Broker;
  let admin: pg.Client;
  const made: string[] = [];

  before(async function () {
    const address = postgres.addressInEnvironment();
    if (!address) return this.skip();
    broker = await openPostgres(address);
    admin = new pg.Client(address);
    await admin.connect();
    await admin.query('set search_path to sqs_containers');
  });

  after(async () => {
    if (!broker) return;
    for (const name of made) await broker.remove(name);
    await broker.close();
    await admin.end();
  });

  async function make(suffix: string, options: CreateOptions = {}): Promise<Queue> {
    const name = freshName(suffix);
    made.push(name);
    await broker.create(name, options);
    return broker.open(name);
  }

  const ofQueue = 'queue_id = (select id from queue where name = $1)';

  /** How many rows of a table belong to the queue. */
  async function rowsOf(queue: Queue, table: 'message' | 'message_group' | 'deduplication'): Promise<number> {
    const { rows } = await admin.query(`select count(*)::int from ${table} where ${ofQueue}`, [queue.name]);
    return rows[0].count;
  }

  /** Shifts the queue's times into the past by `seconds`, because the server's clock cannot be changed. */
  async function passSeconds(queue: Queue, seconds: number): Promise<void> {
    for (const [table, column] of [
      ['message', 'sent_at'],
      ['deduplication', 'remembered_until'],
    ]) {
      const text = `update ${table} set ${column} = ${column} - $2 where ${ofQueue}`;
      await admin.query(text, [queue.name, seconds * 1000]);
    }
  }

  const message = (queue: Queue, body: string) => ({
    body,
    ...(queue.fifo && { groupId: 'g', deduplicationId: body }),
  });

  for (const suffix of ['', '.fifo']) {
    it(`does not deliver messages older than its retention period, and deletes their rows: ${suffix || 'standard'}`, async () => {
      const queue = await make(suffix, { retentionSeconds: 60 });
      await send(queue, message(queue, 'old'), message(queue, 'received'));
      await makeVisible(queue, ...(await receiveAll(queue)));
      await passSeconds(queue, 61);
      await send(queue, message(queue, 'new'));
      expect(bodies(await receiveAll(queue))).to.deep.equal(['new']);
      expect(await rowsOf(queue, 'message')).to.equal(1);
    });

    it(`has no rows left when all messages are handled: ${suffix || 'standard'}`, async () => {
      const queue = await make(suffix);
      await send(queue, ...[...'abcdefghij'].map((body) => message(queue, body)));
      const received = await receiveAll(queue);
      await queue.delete(received.map(({ receiptHandle }) => receiptHandle));
      expect(await rowsOf(queue, 'message')).to.equal(0);
      expect(await rowsOf(queue, 'message_group')).to.equal(0);
      const { rows } = await admin.query('select id from queue where name = $1', [queue.name]);
      await broker.remove(queue.name);
      const left = await admin.query('select from deduplication where queue_id = $1', [rows[0].id]);
      expect(left.rowCount).to.equal(0);
    });
  }

  it('forgets deduplication ids after five minutes, and deletes their rows', async () => {
    const queue = await make('.fifo');
    const [first] = await send(queue, message(queue, 'd'));
    await passSeconds(queue, 295);
    expect(await send(queue, message(queue, 'd'))).to.deep.equal([first]);
    await passSeconds(queue, 5);
    const [second] = await send(queue, message(queue, 'd'));
    expect(second?.messageId).not.to.equal(first?.messageId);
    await passSeconds(queue, 300);
    await send(queue, message(queue, 'another'));
    expect(await rowsOf(queue, 'deduplication')).to.equal(1);
  });
});
