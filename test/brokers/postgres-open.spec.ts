import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import type { Broker } from '../../src/brokers/broker.ts';
import { postgresFailure } from '../../src/brokers/sql/postgres/failures.ts';
import { openPostgres } from '../../src/brokers/sql/postgres/open.ts';
import { bodies, brokerError, receiveAll, send } from '../../src/contract/operations.ts';
import { postgres, startPostgres } from '../support/servers/postgres.ts';
import type { StartedServer } from '../support/servers/programs.ts';

describe('opening the postgres broker', () => {
  let server: StartedServer;
  let admin: pg.Client;
  let certificate: string;
  let opened: Broker[];

  before(async function () {
    if (!postgres.isInstalled()) this.skip();
    server = await startPostgres(['ssl=on'], (data) => {
      certificate = makeCertificate(data);
    });
    admin = new pg.Client(server.address);
    await admin.connect();
  });

  beforeEach(() => {
    opened = [];
  });

  afterEach(async () => {
    await Promise.all(opened.map((broker) => broker.close()));
  });

  after(async () => {
    await admin?.end();
    await server?.stop();
  });

  async function open(address: string): Promise<Broker> {
    const broker = await openPostgres(address);
    opened.push(broker);
    return broker;
  }

  /** The server's address with some parts changed. */
  function addressWith(change: (url: URL) => void): string {
    const url = new URL(server.address);
    change(url);
    return url.href;
  }

  it('creates the tables once when eight brokers start at the same time', async () => {
    await admin.query('create database empty');
    const address = addressWith((url) => {
      url.pathname = '/empty';
    });
    const brokers = await Promise.all(Array.from({ length: 8 }, () => open(address)));
    const queues = await Promise.all(brokers.map((broker) => broker.open('q')));
    await Promise.all(queues.map((queue, index) => send(queue, `from ${index}`)));
    expect(bodies(await receiveAll(queues[0]!)).sort()).to.deep.equal(
      queues.map((_, index) => `from ${index}`),
    );
  });

  it('keeps the queues in each schema separate, and shows a schema that is not the default', async () => {
    const usual = await open(server.address);
    const other = await open(`${server.address}?schema=other&sslmode=disable`);
    expect(usual.description).to.match(/^postgres:\/\/127\.0\.0\.1:\d+\/postgres$/);
    expect(other.description).to.equal(`${usual.description}?schema=other`);
    await usual.create('here');
    await other.create('there');
    expect(await usual.list()).to.deep.equal(['here']);
    expect(await other.list()).to.deep.equal(['there']);
    const error = await brokerError(open(`${server.address}?schema=no"good`));
    expect(error).to.have.property('kind', 'setup');
    expect(error.message).to.contain('no"good');
  });

  it('refuses the tables of a newer release', async () => {
    await open(`${server.address}?schema=newer`);
    await admin.query('update newer.version set version = 99');
    const error = await brokerError(open(`${server.address}?schema=newer`));
    expect(error).to.have.property('kind', 'setup');
    expect(error.message).to.contain('schema newer').and.to.contain('newer release').and.to.contain('99');
  });

  it("refuses a schema with another application's tables, and leaves it unchanged", async () => {
    await admin.query('create schema shop; create table shop.message (item text)');
    const error = await brokerError(open(`${server.address}?schema=shop`));
    expect(error).to.have.property('kind', 'setup');
    expect(error.message).to.contain('?schema=');
    const { rows } = await admin.query("select tablename from pg_tables where schemaname = 'shop'");
    expect(rows).to.deep.equal([{ tablename: 'message' }]);
  });

  it('works for a user who can use the tables but not create any, and fails clearly for a user who can do neither', async () => {
    await open(`${server.address}?schema=shared`);
    await admin.query(
      'create role worker login; grant usage on schema shared to worker; grant all on all tables in schema shared to worker',
    );
    const asWorker = addressWith((url) => {
      url.username = 'worker';
    });
    const queue = await (await open(`${asWorker}?schema=shared`)).open('q');
    await send(queue, 'x');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['x']);
    const error = await brokerError(open(`${asWorker}?schema=another`));
    expect(error).to.have.property('kind', 'denied');
    expect(error.message).to.contain('permission denied');
  });

  it('says which user, database or server is missing, without the password', async () => {
    const failures: [kind: string, text: string, address: string][] = [
      [
        'credentials',
        'role "stranger"',
        addressWith((url) => {
          url.username = 'stranger';
          url.password = 'secret';
        }),
      ],
      [
        'setup',
        '/missing',
        addressWith((url) => {
          url.pathname = '/missing';
          url.password = 'secret';
        }),
      ],
      ['unreachable', '127.0.0.1:1/', 'postgres://me:secret@127.0.0.1:1/db'],
      ['unreachable', 'no.such.host.invalid', 'postgres://me:secret@no.such.host.invalid/db'],
      ['setup', 'POSTGRES', 'postgres://me:secret@host:port/db'.replace('host', 'ho st')],
      ['setup', '/no/file', 'postgres://me:secret@host/db?sslmode=verify-full&sslrootcert=/no/file'],
    ];
    for (const [kind, text, address] of failures) {
      const error = await brokerError(open(address));
      expect(error, error.message).to.have.property('kind', kind);
      expect(error.message.toUpperCase()).to.contain(text.toUpperCase());
      expect(`${error.message} ${error.stack}`).not.to.contain('secret');
    }
  });

  it('trusts a TLS server by its CA certificate, or with sslmode=no-verify', async () => {
    for (const parameters of [`sslmode=verify-full&sslrootcert=${certificate}`, 'sslmode=no-verify']) {
      const broker = await open(`${server.address}?${parameters}`);
      await broker.open('encrypted');
      const { rows } = await admin.query(
        "select count(*)::int as count from pg_stat_ssl join pg_stat_activity using (pid) where ssl and application_name = 'sqs-containers'",
      );
      expect(rows[0].count).to.be.above(0);
      await broker.close();
      opened = [];
    }
    for (const mode of ['verify-full', 'require']) {
      const error = await brokerError(open(`${server.address}?sslmode=${mode}`));
      expect(error).to.have.property('kind', 'setup');
      expect(error.message).to.contain('sslrootcert');
    }
  });
});

describe('a failure of Postgres', () => {
  it('says what to do for errors with a text but no code', () => {
    const texts: [text: string, kind: string, advice: string][] = [
      ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'credentials', 'password'],
      ['Query read timeout', 'unreachable', 'pg_stat_activity'],
      ['Connection terminated unexpectedly', 'unreachable', 'server is running'],
      ['The server does not support SSL connections', 'setup', 'sslmode'],
    ];
    for (const [text, kind, advice] of texts) {
      const error = postgresFailure('postgres://db.example.com:5432/shop', new Error(text));
      expect(error, text).to.have.property('kind', kind);
      expect(error.message).to.contain(advice).and.to.contain(`(${text}).`);
    }
  });

  it('has the kind that matches its code', () => {
    const kinds: [code: string, kind: string][] = [
      ['28P01', 'credentials'],
      ['28000', 'credentials'],
      ['3D000', 'setup'],
      ['42501', 'denied'],
      ['25006', 'unreachable'],
      ['53300', 'unreachable'],
      ['57P01', 'unreachable'],
      ['57P03', 'unreachable'],
      ['08006', 'unreachable'],
      ['57014', 'unreachable'],
      ['ECONNREFUSED', 'unreachable'],
      ['22021', 'rejected'],
      ['XX000', 'unreachable'],
    ];
    for (const [code, kind] of kinds) {
      const error = postgresFailure(
        'postgres://db.example.com:5432/shop',
        Object.assign(new Error(`as ${code} says`), { code }),
      );
      expect(error, code).to.have.property('kind', kind);
      expect(error.message).to.contain('db.example.com:5432/shop').and.to.contain(`as ${code} says`);
    }
  });
});

/** Creates a self-signed certificate for 127.0.0.1 in the data directory where the server expects it. */
function makeCertificate(data: string): string {
  const [key, file] = [join(data, 'server.key'), join(data, 'server.crt')];
  const options =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1';
  execFileSync('openssl', [...options.split(' '), '-keyout', key, '-out', file], { stdio: 'ignore' });
  const { uid, gid } = statSync(data);
  chmodSync(key, 0o600);
  chownSync(key, uid, gid);
  return file;
}
