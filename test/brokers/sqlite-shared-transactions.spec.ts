import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { Kysely, sql } from 'kysely';
import type { Tables } from '../../src/brokers/sql/schema.ts';
import { sqliteDialect } from '../../src/brokers/sql/sqlite/dialect.ts';
import { SharedTransactions } from '../../src/brokers/sql/sqlite/shared-transactions.ts';

describe('the transactions of a sqlite file', () => {
  let connection: DatabaseSync;
  let tables: Kysely<Tables>;
  let transactions: SharedTransactions;
  /** The changes that ran, and those that resolved, in order. */
  let events: string[];

  beforeEach(() => {
    events = [];
    connection = new DatabaseSync(':memory:');
    connection.exec('create table entry (name text)');
    const dialect = sqliteDialect(connection, ':memory:');
    tables = new Kysely<Tables>({ dialect, log: ({ query }) => void events.push(query.sql) });
    transactions = new SharedTransactions(connection, tables);
  });

  afterEach(() => tables.destroy());

  async function enter(name: string): Promise<void> {
    await transactions.run('full', async (tables) => {
      await sql`insert into entry values (${name})`.execute(tables);
    });
    events.push(`entered ${name}`);
  }

  async function fail(): Promise<void> {
    await transactions.run('full', async (tables) => {
      await sql`insert into entry values ('failed')`.execute(tables);
      throw new Error('no');
    });
  }

  function entries(): unknown[] {
    return connection
      .prepare('select name from entry')
      .all()
      .map(({ name }) => name);
  }

  function count(statement: string): number {
    return events.filter((event) => event === statement).length;
  }

  /** SQLite's `synchronous` setting at the time of each change: 1 for normal, 2 for full. */
  function synchronous(asked: 'full' | 'normal'): Promise<unknown> {
    return transactions.run(asked, async () => connection.prepare('pragma synchronous').get()?.synchronous);
  }

  it('are shared by changes from the same turn of the event loop, which resolve after the commit', async () => {
    await Promise.all(['a', 'b', 'c'].map(enter));
    const insert = 'insert into entry values (?)';
    expect(events).to.deep.equal([
      'begin immediate',
      ...[insert, insert, insert],
      'commit',
      ...['entered a', 'entered b', 'entered c'],
    ]);
    expect(entries()).to.deep.equal(['a', 'b', 'c']);
  });

  it('are shared by at most twenty changes', async () => {
    await Promise.all(Array.from({ length: 45 }, (_, index) => enter(`${index}`)));
    expect(count('commit')).to.equal(3);
    expect(entries()).to.have.length(45);
  });

  it('leave a turn of the event loop between two transactions', async () => {
    let turns = 0;
    const counting = setImmediate(function count() {
      turns += 1;
      if (turns < 3) setImmediate(count);
    });
    for (let change = 1; change <= 3; change += 1) {
      await enter('again');
      expect(turns).to.be.at.least(change);
    }
    clearImmediate(counting);
  });

  it('are split into one for each change when one fails, without affecting the others', async () => {
    const [first, failed, last] = await Promise.allSettled([enter('a'), fail(), enter('b')]);
    expect([first?.status, last?.status]).to.deep.equal(['fulfilled', 'fulfilled']);
    expect(failed)
      .to.deep.include({ status: 'rejected' })
      .and.to.have.nested.property('reason.message', 'no');
    expect(entries()).to.deep.equal(['a', 'b']);
  });

  it('fail for all changes, without a retry, when they cannot begin', async () => {
    await enter('before');
    connection.exec('begin');
    const settled = await Promise.allSettled([enter('a'), enter('b')]);
    expect(settled.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    expect(count('begin immediate')).to.equal(2);
  });

  it('wait for the disk unless none of their changes needs it', async () => {
    expect(await Promise.all([synchronous('normal'), synchronous('normal')])).to.deep.equal([1, 1]);
    expect(await Promise.all([synchronous('normal'), synchronous('full')])).to.deep.equal([2, 2]);
    expect(await synchronous('normal')).to.equal(1);
  });
});
