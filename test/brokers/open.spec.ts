import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import { ADDRESSES } from '../../src/brokers/address.ts';
import type { Broker } from '../../src/brokers/broker.ts';
import type { BrokerError } from '../../src/brokers/errors.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { rejection } from '../support/rejection.ts';

async function failureOf(opening: Promise<unknown>): Promise<BrokerError> {
  const failure = await rejection<BrokerError>(opening);
  expect(failure).to.have.property('name', 'BrokerError');
  return failure;
}

describe('the address of a broker', () => {
  let opened: Broker[];

  beforeEach(() => {
    opened = [];
    sinon.stub(process, 'env').value({ AWS_CONFIG_FILE: '/nonexistent', AWS_REGION: 'eu-west-1' });
  });

  afterEach(async () => {
    sinon.restore();
    await Promise.all(opened.map((broker) => broker.close()));
  });

  async function open(...parameters: Parameters<typeof openBroker>): Promise<Broker> {
    const broker = await openBroker(...parameters);
    opened.push(broker);
    return broker;
  }

  it('"sqs" opens SQS with the AWS default chain', async () => {
    expect((await open('sqs')).description).to.equal('SQS in region eu-west-1');
  });

  it('"sqs" prefers the region and endpoint in the options', async () => {
    const broker = await open('sqs', {
      sqs: { region: 'us-west-2', endpoint: 'https://vpce.example' },
    });
    expect(broker.description).to.equal('SQS in region us-west-2 at https://vpce.example');
  });

  it('"sqs" needs a region', async () => {
    sinon.restore();
    sinon.stub(process, 'env').value({ AWS_CONFIG_FILE: '/nonexistent' });
    expect((await failureOf(open('sqs'))).kind).to.equal('setup');
  });

  for (const url of ['http://127.0.0.1:4566', 'https://localhost.example']) {
    it(`"sqs+${url}" opens an emulator, which needs no region`, async () => {
      sinon.restore();
      sinon.stub(process, 'env').value({ AWS_CONFIG_FILE: '/nonexistent' });
      const broker = await open(`sqs+${url}`, { sqs: { endpoint: 'http://elsewhere.example' } });
      expect(broker.description).to.equal(`SQS in region us-east-1 at ${url}`);
    });
  }

  it('"sqs+http://…" uses the region in the options', async () => {
    const broker = await open('sqs+http://127.0.0.1:4566', { sqs: { region: 'eu-south-1' } });
    expect(broker.description).to.equal('SQS in region eu-south-1 at http://127.0.0.1:4566');
  });

  it('"memory:" opens separate queues each time', async () => {
    const [first, second] = [await open('memory:'), await open('memory:')];
    expect(first.description).to.equal('memory:');
    await first.create('jobs');
    expect(await second.list()).to.deep.equal([]);
  });

  it('"sqlite:PATH" opens a file relative to the directory in the options', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'open-'));
    try {
      const broker = await open('sqlite:queues.db', { directory });
      expect(broker.description).to.equal(`sqlite:${join(directory, 'queues.db')}`);
      await broker.create('jobs');
      const again = await open(`sqlite:${join(directory, 'queues.db')}`, { directory: '/elsewhere' });
      expect(await again.list()).to.deep.equal(['jobs']);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  for (const address of [
    '',
    'SQS',
    'memory',
    'sqlite:',
    'sqs+ftp://host',
    'kafka://host',
    'kafka://host:x',
  ]) {
    it(`"${address}" is invalid, and the error lists valid addresses`, async () => {
      const failure = await failureOf(openBroker(address));
      expect(failure.kind).to.equal('setup');
      expect(failure.message).to.equal(`Unknown broker "${address}". Valid broker addresses: ${ADDRESSES}.`);
    });
  }

  it('is shown without its password, in a description and in an error', async () => {
    const { description } = await open('sqs+http://me:s3cret@127.0.0.1:4566');
    expect(description).to.equal('SQS in region eu-west-1 at http://me:***@127.0.0.1:4566');
    const { message } = await failureOf(openBroker('mysql://me:s3cret@host/queues?password=s3cret'));
    expect(message).to.contain('"mysql://me:***@host/queues?password=***"').and.not.to.contain('s3cret');
  });

  it('"sqs+http://" without a host is not a URL', async () => {
    const failure = await failureOf(openBroker('sqs+http://'));
    expect(failure.kind).to.equal('setup');
    expect(failure.message).to.contain('"http://"').and.contain('http://HOST:PORT');
  });
});

describe('a broker whose package is not installed', function () {
  this.timeout(30_000);

  for (const [name, address] of [
    ['pg', 'postgres://127.0.0.1:1/db'],
    ['ioredis', 'redis://127.0.0.1:1'],
  ] as const) {
    it(`fails with an error that says what to install: ${name}`, () => {
      const program = `
        import { registerHooks } from 'node:module';
        registerHooks({
          resolve(name, context, next) {
            if (name === '${name}') throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' });
            return next(name, context);
          },
        });
        const { openBroker } = await import('${join(import.meta.dirname, '../../src/brokers/open.ts')}');
        await openBroker('${address}').catch(({ kind, message }) => console.log(kind, message));`;
      const options = ['--import=tsx', '--input-type=module', '--eval', program];
      const output = execFileSync(process.execPath, options, { encoding: 'utf8' });
      expect(output).to.match(new RegExp(`^setup .*: npm install ${name}$`, 'm'));
    });
  }
});
