import { expect } from 'chai';
import pg from 'pg';
import { parseAddress } from '../../src/brokers/sql/postgres/address.ts';

describe('the address of a Postgres database', () => {
  function connectionString(address: string): string {
    return parseAddress(address, pg).connectionString;
  }

  it('has the schema for us, and the rest for node-postgres', () => {
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

  it('checks the certificate as node-postgres 8 does, without its warning', () => {
    for (const mode of ['prefer', 'require', 'verify-ca']) {
      expect(connectionString(`postgres://db/shop?sslmode=${mode}&sslrootcert=/dev/null`)).to.equal(
        'postgres://db/shop?sslmode=verify-full&sslrootcert=/dev/null',
      );
    }
  });

  it('leaves other modes as they are, and those that are meant as libpq means them', () => {
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
