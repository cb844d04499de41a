import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { useFakeTimers } from 'sinon';
import type { Broker } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { sqliteFailure } from '../../src/brokers/sql/sqlite/failures.ts';
import { openSqlite } from '../../src/brokers/sql/sqlite/open.ts';
import { bodies, receiveAll, send } from '../../src/contract/operations.ts';
import { rejection } from '../support/rejection.ts';

describe('the file of the sqlite broker', () => {
  let folder: string;
  let path: string;
  let opened: Broker[];
  let raw: DatabaseSync | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sqlite-file-'));
    path = join(folder, 'queues.db');
    opened = [];
    raw = undefined;
  });

  afterEach(async () => {
    raw?.close();
    await Promise.all(opened.map((broker) => broker.close()));
    await rm(folder, { recursive: true });
  });

  async function open(at = path): Promise<Broker> {
    const broker = await openSqlite(at);
    opened.push(broker);
    return broker;
  }

  /** Opens the file with SQLite directly. */
  function openRaw(): DatabaseSync {
    raw = new DatabaseSync(path);
    return raw;
  }

  it('is created readable by its owner only, like the files next to it', async () => {
    const broker = await open();
    expect(broker.description).to.equal(`sqlite:${path}`);
    await broker.open('q');
    for (const file of await readdir(folder)) {
      expect((await stat(join(folder, file))).mode & 0o777, file).to.equal(0o600);
    }
  });

  it('is the only file left after closing, and keeps all messages and receipt handles', async () => {
    const first = await open();
    const queue = await first.open('q');
    await send(queue, 'a', 'b');
    const [message] = await queue.receive({ max: 1, waitSeconds: 0 });
    await first.close();
    opened = [];
    expect(await readdir(folder)).to.deep.equal(['queues.db']);

    const again = await (await open()).open('q');
    expect(await again.counts()).to.deep.equal({ visible: 1, inFlight: 1, delayed: 0 });
    expect(await again.delete([message!.receiptHandle])).to.deep.equal([{ ok: true }]);
    expect(bodies(await receiveAll(again))).to.deep.equal(['b']);
  });

  it('must be in a folder that exists', async () => {
    const error = await failure(open(join(folder, 'missing', 'queues.db')));
    expect(error).to.have.property('kind', 'setup');
    expect(error.message)
      .to.contain(`The folder ${join(folder, 'missing')}`)
      .and.to.contain('mkdir -p');
  });

  it('must be a file', async () => {
    const error = await failure(open(folder));
    expect(error).to.have.property('kind', 'setup');
    expect(error.message).to.contain(folder).and.to.contain('cannot be opened');
  });

  it('must be a SQLite database', async () => {
    await writeFile(path, 'This is the shopping list of somebody, not a database. '.repeat(100));
    const error = await failure(open());
    expect(error).to.have.property('kind', 'setup');
    expect(error.message).to.contain(path).and.to.contain('not a SQLite database');
  });

  it("must not be another application's database, which is left unchanged", async () => {
    openRaw().exec('create table shopping (item text)');
    const error = await failure(open());
    expect(error).to.have.property('kind', 'setup');
    expect(error.message).to.contain(path).and.to.contain('something other than queues');
    const tables = raw!.prepare('select name from sqlite_schema').all();
    expect(tables.map(({ name }) => name)).to.deep.equal(['shopping']);
  });

  it('must not be from a newer release', async () => {
    await open();
    openRaw().exec('pragma user_version = 99');
    const error = await failure(open());
    expect(error).to.have.property('kind', 'setup');
    expect(error.message).to.contain(path).and.to.contain('newer release').and.to.contain('99');
  });

  it('is awaited while another process holds its lock, without blocking this process', async () => {
    const queue = await (await open()).open('q');
    openRaw().exec('begin immediate');
    let isSent = false;
    const sending = send(queue, 'x').then(() => {
      isSent = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isSent).to.equal(false);
    raw!.exec('commit');
    await sending;
    expect(bodies(await receiveAll(queue))).to.deep.equal(['x']);
  });

  it('is unreachable when it stays locked for ten seconds', async () => {
    const queue = await (await open()).open('q');
    openRaw().exec('begin immediate');
    const clock = useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    try {
      const sending = failure(queue.send([{ body: 'x' }]));
      await clock.tickAsync(10_100);
      const error = await sending;
      expect(error).to.have.property('kind', 'unreachable');
      expect(error.message).to.contain(path).and.to.contain('locked');
    } finally {
      clock.restore();
    }
    raw!.exec('commit');
    await send(queue, 'y');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['y']);
  });

  it('is unreachable when the disk is full', () => {
    openRaw().exec('pragma max_page_count = 2; create table t (x)');
    const error = sqliteFailure(
      path,
      thrown(() => raw!.exec('insert into t values (zeroblob(100000))')),
    );
    expect(error).to.be.instanceOf(BrokerError).with.property('kind', 'unreachable');
    expect(error.message).to.contain(path).and.to.contain('the disk is full');
  });

  it('must be writable', async () => {
    await open();
    raw = new DatabaseSync(path, { readOnly: true });
    const error = sqliteFailure(
      path,
      thrown(() => raw!.exec('create table t (x)')),
    );
    expect(error).to.be.instanceOf(BrokerError).with.property('kind', 'setup');
    expect(error.message).to.contain(path).and.to.contain('read-only');
  });
});

async function failure(call: Promise<unknown>): Promise<BrokerError> {
  const error = await rejection(call);
  expect(error).to.be.instanceOf(BrokerError);
  return error as BrokerError;
}

function thrown(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return expect.fail('Nothing was thrown.');
}
