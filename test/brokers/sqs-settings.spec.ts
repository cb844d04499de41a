import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import type { Broker } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { openSqs } from '../../src/brokers/sqs/broker.ts';
import { resolveSettings, type SqsOptions } from '../../src/brokers/sqs/settings.ts';
import { rejection } from '../support/rejection.ts';
import { type Stub, startStub } from '../support/sqs-stub.ts';

/** Replaces the whole environment. There are no profiles and no metadata service except those it names. */
function useEnvironment(variables: Record<string, string>): void {
  sinon.restore();
  sinon.stub(process, 'env').value({
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nonexistent/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
    ...variables,
  });
}

async function failureOf(request: Promise<unknown>): Promise<BrokerError> {
  const failure = await rejection<BrokerError>(request);
  expect(failure).to.be.instanceOf(BrokerError);
  return failure;
}

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIASPEC', AWS_SECRET_ACCESS_KEY: 'secret' };

describe('the settings of SQS', () => {
  let stub: Stub;
  let folder: string;
  let broker: Broker | undefined;

  before(async () => {
    stub = await startStub();
    folder = await mkdtemp(join(tmpdir(), 'sqs-settings-'));
  });

  beforeEach(() => {
    stub.requests.length = 0;
  });

  afterEach(async () => {
    sinon.restore();
    await broker?.close();
    broker = undefined;
  });

  after(async () => {
    await stub.stop();
    await rm(folder, { recursive: true });
  });

  async function open(options: SqsOptions): Promise<void> {
    broker = await openSqs(options);
    await broker.open('jobs');
  }

  /** The access key and the region of the last request: `AKIASPEC/eu-west-1`. */
  function lastSender(): string {
    const authorization = stub.requests.at(-1)?.headers.authorization ?? '';
    return authorization.replace(/^.*Credential=([^/]+)\/\d+\/([^/]+)\/.*$/, '$1/$2');
  }

  describe('determine the region', () => {
    it('from the option first', async () => {
      useEnvironment({ AWS_REGION: 'eu-west-1' });
      expect((await resolveSettings({ region: 'eu-north-1' })).region).to.equal('eu-north-1');
    });

    it('then from AWS_REGION', async () => {
      useEnvironment({ AWS_REGION: 'eu-west-1' });
      expect((await resolveSettings({})).region).to.equal('eu-west-1');
    });

    it('then from the profile', async () => {
      const file = join(folder, 'region');
      await writeFile(file, '[profile spec]\nregion = ap-south-1\n');
      useEnvironment({ AWS_PROFILE: 'spec', AWS_CONFIG_FILE: file });
      expect((await resolveSettings({})).region).to.equal('ap-south-1');
    });

    it('or fail and name all three', async () => {
      useEnvironment({});
      const failure = await failureOf(openSqs());
      expect(failure.kind).to.equal('setup');
      expect(failure.message).to.contain('AWS_REGION').and.contain('profile').and.contain('[sqs] region');
    });

    it('or fail if it is invalid', async () => {
      useEnvironment({ AWS_REGION: 'eu-west-1' });
      const failure = await failureOf(openSqs({ region: 'EU (Ireland)' }));
      expect(failure.kind).to.equal('setup');
      expect(failure.message).to.contain('"EU (Ireland)"').and.contain('[sqs] region');
    });

    it('and ignore empty ones', async () => {
      useEnvironment({ AWS_REGION: 'eu-west-1' });
      expect((await resolveSettings({ region: '' })).region).to.equal('eu-west-1');
      useEnvironment({ AWS_REGION: '' });
      expect((await failureOf(openSqs({ region: '' }))).kind).to.equal('setup');
    });
  });

  describe('determine the endpoint', () => {
    // The stub's queue URLs contain a host that does not resolve: a request to it would fail.
    it('from the option', async () => {
      useEnvironment({ ...KEYS, AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
      await open({ endpoint: stub.url });
      expect(broker?.description).to.equal(`SQS in region eu-west-1 at ${stub.url}`);
    });

    for (const variable of ['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SQS']) {
      it(`from ${variable}`, async () => {
        useEnvironment({ ...KEYS, AWS_REGION: 'eu-west-1', [variable]: stub.url });
        await open({});
        expect(stub.requests).to.have.length(2);
      });
    }

    it('from the profile', async () => {
      const file = join(folder, 'endpoint');
      await writeFile(file, `[profile spec]\nregion = eu-west-1\nendpoint_url = ${stub.url}\n`);
      const credentials = join(folder, 'endpoint-credentials');
      await writeFile(
        credentials,
        '[spec]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = secret\n',
      );
      useEnvironment({
        AWS_PROFILE: 'spec',
        AWS_CONFIG_FILE: file,
        AWS_SHARED_CREDENTIALS_FILE: credentials,
      });
      await open({});
      expect(lastSender()).to.equal('AKIAPROFILE/eu-west-1');
    });

    it('or leave it to the queue URL, which may name a VPC endpoint', async () => {
      useEnvironment({ ...KEYS, AWS_REGION: 'eu-west-1' });
      broker = await openSqs();
      expect(broker.description).to.equal('SQS in region eu-west-1');
      const queue = await broker.open(`${stub.url}/000000000000/jobs`);
      expect(await queue.receive({ max: 1, waitSeconds: 0 })).to.deep.equal([]);
    });

    it('or fail if it is not a URL', async () => {
      useEnvironment({ AWS_REGION: 'eu-west-1' });
      const failure = await failureOf(openSqs({ endpoint: 'localhost:4566' }));
      expect(failure.kind).to.equal('setup');
      expect(failure.message).to.contain('"localhost:4566"').and.contain('http://HOST:PORT');
    });
  });

  describe('determine the credentials', () => {
    it('from the environment, for AWS and for emulators', async () => {
      useEnvironment({ ...KEYS, AWS_REGION: 'eu-west-1' });
      await open({ endpoint: stub.url, emulator: true });
      expect(lastSender()).to.equal('AKIASPEC/eu-west-1');
    });

    it('or use dummy credentials and a dummy region for an emulator', async () => {
      useEnvironment({});
      await open({ endpoint: stub.url, emulator: true });
      expect(lastSender()).to.equal('emulator/us-east-1');
    });

    it('or fail immediately, before anything is sent', async () => {
      useEnvironment({ AWS_REGION: 'eu-west-1' });
      const started = performance.now();
      const failure = await failureOf(open({ endpoint: stub.url }));
      expect(failure.kind).to.equal('credentials');
      expect(failure.message).to.contain('AWS_PROFILE').and.contain('role');
      expect(performance.now() - started).to.be.below(1000);
      expect(stub.requests).to.deep.equal([]);
    });
  });

  describe('are read again after SQS has refused the credentials', () => {
    const expired = { status: 403, code: 'com.amazon.coral.service#ExpiredTokenException' };

    it("from the profile's files", async () => {
      const file = join(folder, 'renewed');
      const write = (key: string) =>
        writeFile(file, `[spec]\naws_access_key_id = ${key}\naws_secret_access_key = secret\n`);
      await write('AKIAOLD');
      useEnvironment({ AWS_REGION: 'eu-west-1', AWS_PROFILE: 'spec', AWS_SHARED_CREDENTIALS_FILE: file });
      broker = await openSqs({ endpoint: stub.url });
      const queue = await broker.open('jobs');
      expect(lastSender()).to.equal('AKIAOLD/eu-west-1');

      await write('AKIANEW');
      stub.fault('ReceiveMessage', expired);
      expect((await failureOf(queue.receive({ max: 1, waitSeconds: 0 }))).kind).to.equal('credentials');
      await queue.receive({ max: 1, waitSeconds: 0 });
      expect(lastSender()).to.equal('AKIANEW/eu-west-1');
    });

    describe('from the container', () => {
      let served = 0;
      let lifetimeMs = 3_600_000;
      /** When the credentials of each sender expire, in milliseconds since the epoch. */
      const expiries = new Map<string, number>();
      let server: Server;

      before(async () => {
        server = createServer((_request, response) => {
          served += 1;
          const AccessKeyId = `KEY${served}`;
          const expiry = Date.now() + lifetimeMs;
          expiries.set(`${AccessKeyId}/eu-west-1`, expiry);
          const Expiration = new Date(expiry).toISOString();
          response.end(JSON.stringify({ AccessKeyId, SecretAccessKey: 's', Token: 't', Expiration }));
        }).listen(0, '127.0.0.1');
        await once(server, 'listening');
      });

      beforeEach(() => {
        served = 0;
        lifetimeMs = 3_600_000;
        const { port } = server.address() as AddressInfo;
        const AWS_CONTAINER_CREDENTIALS_FULL_URI = `http://127.0.0.1:${port}/`;
        useEnvironment({ AWS_REGION: 'eu-west-1', AWS_CONTAINER_CREDENTIALS_FULL_URI });
      });

      after(() => {
        server.close();
      });

      it('also before they expire, so that no request is refused', async () => {
        lifetimeMs = 60_000;
        const clock = sinon.useFakeTimers({ now: Date.now(), toFake: ['Date'] });
        broker = await openSqs({ endpoint: stub.url });
        const queue = await broker.open('jobs');
        /** Ten seconds later: sends requests until they use new credentials, which are loaded separately, in real time. */
        const renew = async () => {
          const earlier = lastSender();
          clock.tick(10_000);
          do {
            await queue.receive({ max: 1, waitSeconds: 0 });
            expect(expiries.get(lastSender())).to.be.above(Date.now());
          } while (lastSender() === earlier);
        };
        for (let renewals = 0; renewals < 29; renewals += 1) await renew();
        // The SDK renews credentials that expire soon on every request. This must stop before the next spec, which counts them.
        lifetimeMs = 3_600_000;
        while (expiries.get(lastSender())! - Date.now() < 3_000_000) await renew();
      });

      it('once, when several requests fail together', async () => {
        broker = await openSqs({ endpoint: stub.url });
        const queue = await broker.open('jobs');
        const receive = () => queue.receive({ max: 1, waitSeconds: 0 });
        stub.fault('ReceiveMessage', expired);
        stub.fault('ReceiveMessage', { ...expired, delayMs: 40 });
        const [first, last] = [failureOf(receive()), failureOf(receive())];
        await first;
        await receive();
        await last;
        await receive();
        expect(served).to.equal(2);
        expect(lastSender()).to.equal('KEY2/eu-west-1');
      });
    });
  });
});
