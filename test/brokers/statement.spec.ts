import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { Kysely, sql } from 'kysely';
import type { SqlDialect } from '../../src/brokers/sql/database.ts';
import type { Tables } from '../../src/brokers/sql/schema.ts';
import { sqliteDialect } from '../../src/brokers/sql/sqlite/dialect.ts';
import { type Placeholders, Statement } from '../../src/brokers/sql/statement.ts';

interface Entries {
  readonly prefix: string;
  readonly names: readonly string[];
}

describe('a statement', () => {
  const dialect: SqlDialect = {
    now: sql<number>`0`,
    relaxed: sql`null`,
    announcement: () => sql`null`,
    bytes: sql`blob`,
  };
  let tables: Kysely<Tables>;
  let built: number;
  let listing: Statement<Entries, { name: string }>;

  beforeEach(() => {
    const connection = new DatabaseSync(':memory:');
    connection.exec(`create table queue (name text); insert into queue values ('a'), ('b'), ('c')`);
    tables = new Kysely<Tables>({ dialect: sqliteDialect(connection, ':memory:') });
    built = 0;
    listing = new Statement((tables, { prefix, names }: Placeholders<Entries>) => {
      built += 1;
      const name = sql<string>`${prefix} || name`.as('name');
      return tables.selectFrom('queue').select(name).where('queue.name', 'in', names);
    });
  });

  afterEach(() => tables.destroy());

  async function list(prefix: string, ...names: string[]): Promise<string[]> {
    const rows = await listing.run(tables, { prefix, names }, dialect);
    return rows.map(({ name }) => name);
  }

  it('is built once, and runs with the values of each call', async () => {
    expect(await list('1', 'a', 'b')).to.deep.equal(['1a', '1b']);
    expect(await list('2', 'b', 'c')).to.deep.equal(['2b', '2c']);
    expect(built).to.equal(1);
  });

  it('is built for each length of its lists', async () => {
    expect(await list('1', 'a', 'b')).to.deep.equal(['1a', '1b']);
    expect(await list('2', 'c')).to.deep.equal(['2c']);
    expect(built).to.equal(2);
  });

  it('is built for each database', async () => {
    await list('1', 'a');
    const rows = await listing.run(tables, { prefix: '2', names: ['a'] }, { ...dialect });
    expect(rows).to.deep.equal([{ name: '2a' }]);
    expect(built).to.equal(2);
  });
});
