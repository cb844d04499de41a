import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { BrokerError, BrokerErrorKind } from '../../src/brokers/errors.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { bodies, send } from '../../src/contract/operations.ts';
import { rejection } from '../support/rejection.ts';
import { freePort } from '../support/servers/programs.ts';
import { type RedisServer, redis, startRedis } from '../support/servers/redis.ts';

/** The time limit for external programs. */
const MODULE = JSON.stringify(join(import.meta.dirname, '../../src/brokers/open.ts'));

describe('opening queues in Redis', () => {
  let server: RedisServer;
  let folder: string;
  let tlsPort: number;

  before(async function () {
    if (!redis.isInstalled()) return this.skip();
    folder = mkdtempSync(join(tmpdir(), 'redis-access-'));
    tlsPort = await freePort();
    const tls = ['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', ...certificateIn(folder)];
    server = await startRedis(['--requirepass', 'right', ...tls]);
    const admin = new Redis(server.port, { password: 'right' });
    const users = [
      ['worker', '>right', '~sqs-containers:*', '&sqs-containers:*', '+@all', '-@dangerous'],
      ['silent', '>right', '~sqs-containers:*', 'resetchannels', '+@all'],
      ['other', '>right', '~others:*', '+@all'],
    ];
    for (const user of users) await admin.call('ACL', 'SETUSER', ...(user as [string]), 'on');
    admin.disconnect();
  });

  after(async () => {
    await server?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });

  function addressOf(user: string, place = ''): string {
    return `redis://${user}@127.0.0.1:${server.port}${place}`;
  }

  async function expectRefused(address: string, kind: BrokerErrorKind, text: RegExp): Promise<void> {
    const error = await rejection<BrokerError>(openBroker(address));
    expect(error).to.have.property('kind', kind);
    expect(error.message)
      .to.match(text)
      .and.not.to.match(/right|wrong/);
  }

  it('needs the password', async () => {
    await expectRefused(addressOf(':wrong'), 'credentials', /password/);
    await expectRefused(`redis://127.0.0.1:${server.port}`, 'credentials', /password/);
    const broker = await openBroker(addressOf(':right'));
    expect(broker.description).to.equal(`redis://127.0.0.1:${server.port}/0`);
    await broker.close();
  });

  it('needs exactly the permissions that the error names', async () => {
    await expectRefused(
      addressOf('other:right'),
      'denied',
      /ACL SETUSER NAME ~sqs-containers:\* &sqs-containers:\*/,
    );
    const broker = await openBroker(addressOf('worker:right'));
    const queue = await broker.open('rights');
    const polling = queue.receive({ max: 1, waitSeconds: 5 });
    await send(queue, 'x');
    expect(bodies(await polling)).to.deep.equal(['x']);
    expect(await broker.list()).to.deep.equal(['rights']);
    await broker.remove('rights');
    await broker.close();
  });

  it('sends no message for a user without permission to publish', async () => {
    const broker = await openBroker(addressOf('silent:right'));
    const queue = await broker.open('silent');
    for (const request of [queue.send([{ body: 'x' }]), queue.receive({ max: 1, waitSeconds: 5 })]) {
      expect(await rejection(request)).to.have.property('kind', 'denied');
    }
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
    await broker.remove('silent').catch(() => {});
    await broker.close();
  });

  it('moves dead letters even for a user without permission to publish', async () => {
    const [admin, silent] = await Promise.all([
      openBroker(addressOf(':right')),
      openBroker(addressOf('silent:right')),
    ]);
    const dead = await admin.open('silent-dead');
    await admin.create('silent-jobs', { deadLetterQueue: { name: dead.name, maxReceives: 1 } });
    const jobs = await admin.open('silent-jobs');
    await send(jobs, 'poison');
    const received = await silent.open('silent-jobs');
    expect(await received.receive({ max: 1, waitSeconds: 0, visibilityTimeout: 0 })).to.have.length(1);
    expect(await received.receive({ max: 1, waitSeconds: 0 })).to.deep.equal([]);
    expect(bodies(await dead.receive({ max: 1, waitSeconds: 0 }))).to.deep.equal(['poison']);
    await Promise.all([dead, jobs].map(({ name }) => admin.remove(name)));
    await Promise.all([admin.close(), silent.close()]);
  });

  it('refuses a server in cluster mode, even for a user with permissions for the queues only', async () => {
    const cluster = await startRedis(['--cluster-enabled', 'yes']);
    try {
      const admin = new Redis(cluster.port);
      await admin.call(
        'ACL',
        'SETUSER',
        'worker',
        '>right',
        '~sqs-containers:*',
        '+@all',
        '-@dangerous',
        'on',
      );
      admin.disconnect();
      for (const user of ['', 'worker:right@']) {
        const address = `redis://${user}127.0.0.1:${cluster.port}`;
        await expectRefused(address, 'setup', /cluster mode.*without cluster mode.*cluster_enabled:1/);
        await expectRefused(`${address}/1`, 'setup', /cluster mode/);
      }
    } finally {
      await cluster.stop();
    }
  });

  it('keeps the databases on a server separate', async () => {
    const [first, second] = await Promise.all([
      openBroker(addressOf(':right')),
      openBroker(addressOf(':right', '/1')),
    ]);
    await first.create('apart');
    expect(await second.list('apart')).to.deep.equal([]);
    await first.close();
    await second.close();
    await expectRefused(addressOf(':right', '/16'), 'setup', /database/);
  });

  it('refuses queues from a newer release', async () => {
    const admin = new Redis(server.port, { password: 'right', db: 2 });
    const version = 'sqs-containers:version';
    const brokers = await Promise.all(Array.from({ length: 8 }, () => openBroker(addressOf(':right', '/2'))));
    expect(await admin.get(version)).to.equal('1');
    await Promise.all(brokers.map((broker) => broker.close()));
    await admin.set(version, '2');
    await expectRefused(addressOf(':right', '/2'), 'setup', /newer release.*version 2.*Update/);
    expect(await admin.get(version)).to.equal('2');
    admin.disconnect();
  });

  it('uses TLS with rediss:, and trusts only the given certificate authorities', async () => {
    await expectRefused(`rediss://:right@127.0.0.1:${tlsPort}`, 'setup', /NODE_EXTRA_CA_CERTS/);
    const program = `
      import { openBroker } from ${MODULE};
      const broker = await openBroker('rediss://:right@127.0.0.1:${tlsPort}/3');
      const queue = await broker.open('encrypted');
      const polling = queue.receive({ max: 1, waitSeconds: 5 });
      await queue.send([{ body: 'x' }]);
      console.log(JSON.stringify([(await polling)[0].body, broker.description]));
      await broker.close();`;
    const output = execFileSync(
      process.execPath,
      ['--import=tsx', '--input-type=module', '--eval', program],
      {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'certificate.pem') },
        encoding: 'utf8',
      },
    );
    expect(JSON.parse(output)).to.deep.equal(['x', `rediss://127.0.0.1:${tlsPort}/3`]);
  });
});

/** Creates a certificate, and returns the options for a server that uses it. */
function certificateIn(folder: string): string[] {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
  const about = [
    '-out',
    certificate,
    '-days',
    '1',
    '-subj',
    '/CN=specs',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ];
  execFileSync('openssl', ['req', '-x509', ...made, ...about], { stdio: 'ignore' });
  return ['--tls-key-file', key, '--tls-cert-file', certificate];
}
