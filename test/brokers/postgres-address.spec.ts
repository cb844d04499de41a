import { expect } from 'chai';
import pg from 'pg';
import { parseAddress } from '../../src/brokers/sql/postgres/address.ts';

describe('the address of a Postgres database', () => {
  function connectionString(address: string): string {
    return parseAddress(address, pg).connectionString;
  }

  it('contains the schema, and leaves the rest to node-postgres', () => {
    expect(parseAddress('postgres://me:secret@db:5433/shop?schema=jobs&sslmode=disable', pg)).to.deep.equal({
      connectionString: 'postgres://me:secret@db:5433/shop?sslmode=disable',
      schema: 'jobs',
      description: 'postgres://db:5433/shop?schema=jobs',
    });
    expect(parseAddress('postgres://db:5433/shop', pg)).to.deep.equal({
      connectionString: 'postgres://db:5433/shop',
      schema: 'sqs_containers',
      description: 'postgres://db:5433/shop',
    });
  });

  it('checks certificates like node-postgres 8, without its warning', () => {
    for (const mode of ['prefer', 'require', 'verify-ca']) {
      expect(connectionString(`postgres://db/shop?sslmode=${mode}&sslrootcert=/dev/null`)).to.equal(
        'postgres://db/shop?sslmode=verify-full&sslrootcert=/dev/null',
      );
    }
  });

  it('leaves other modes unchanged, and those with libpq semantics', () => {
    for (const parameters of [
      'sslmode=disable',
      'sslmode=no-verify',
      'uselibpqcompat=true&sslmode=require',
    ]) {
      expect(connectionString(`postgres://db/shop?${parameters}`)).to.equal(
        `postgres://db/shop?${parameters}`,
      );
    }
  });
});
