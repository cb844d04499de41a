// Requests to SQS and for credentials through a proxy from the environment.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import type { Broker } from '../../src/brokers/broker.ts';
import { openSqs } from '../../src/brokers/sqs/broker.ts';
import { type ProxyServer, startProxy } from '../support/proxy.ts';
import { type Stub, startStub } from '../support/sqs-stub.ts';

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIASPEC', AWS_SECRET_ACCESS_KEY: 'secret' };
const SQS = 'sqs.eu-west-1.amazonaws.com';
const STS = 'sts.eu-west-1.amazonaws.com';
const SSO = 'portal.sso.eu-west-1.amazonaws.com';
const SSO_OIDC = 'oidc.eu-west-1.amazonaws.com';
const EXPIRATION = Date.now() + 3_600_000;

describe('a proxy from the environment', function () {
  this.timeout(10_000);
  let stub: Stub;
  let proxy: ProxyServer;
  let folder: string;
  let broker: Broker | undefined;

  before(async () => {
    stub = await startStub();
    folder = await mkdtemp(join(tmpdir(), 'sqs-proxy-'));
    const role = `<AccessKeyId>AKIAROLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>${new Date(EXPIRATION).toISOString()}</Expiration>`;
    proxy = await startProxy({
      [SQS]: { url: stub.url },
      [STS]: {
        body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>${role}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      },
      [SSO_OIDC]: { body: JSON.stringify({ accessToken: 'new', expiresIn: 3_600, tokenType: 'Bearer' }) },
      [SSO]: {
        body: JSON.stringify({
          roleCredentials: {
            accessKeyId: 'AKIASSO',
            secretAccessKey: 'secret',
            sessionToken: 'token',
            expiration: EXPIRATION,
          },
        }),
      },
    });
  });

  beforeEach(() => {
    for (const list of [stub.requests, proxy.tunnels, proxy.requests]) list.length = 0;
  });

  afterEach(async () => {
    sinon.restore();
    await broker?.close();
    broker = undefined;
  });

  after(async () => {
    await proxy.stop();
    await stub.stop();
    await rm(folder, { recursive: true });
  });

  /** Opens a queue and sends a request in an environment with only these variables. */
  async function ask(variables: Record<string, string>): Promise<void> {
    sinon.stub(process, 'emitWarning');
    sinon.stub(process, 'env').value({
      AWS_REGION: 'eu-west-1',
      // An explicit endpoint overrides the host in the stub's queue URLs, which does not exist.
      AWS_ENDPOINT_URL_SQS: `https://${SQS}`,
      AWS_CONFIG_FILE: join(folder, 'none'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
      AWS_EC2_METADATA_DISABLED: 'true',
      HOME: folder,
      // No authority signed the certificate behind the proxy.
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      ...variables,
    });
    broker = await openSqs();
    const queue = await broker.open('jobs');
    await queue.receive({ max: 1, waitSeconds: 0 });
    expect(stub.requests.map(({ action }) => action)).to.include('ReceiveMessage');
  }

  function lastSender(): string | undefined {
    return /Credential=([^/]+)/.exec(stub.requests.at(-1)?.headers.authorization ?? '')?.[1];
  }

  for (const name of ['HTTPS_PROXY', 'https_proxy']) {
    it(`gets the requests to SQS: ${name}`, async () => {
      await ask({ ...KEYS, [name]: proxy.url });
      expect(new Set(proxy.tunnels)).to.deep.equal(new Set([`${SQS}:443`]));
      expect(proxy.requests).to.deep.equal([]);
    });
  }

  for (const name of ['HTTP_PROXY', 'http_proxy']) {
    it(`gets requests to an endpoint without TLS by their full URL: ${name}`, async () => {
      await ask({ ...KEYS, [name]: proxy.url, AWS_ENDPOINT_URL_SQS: stub.url });
      expect(new Set(proxy.requests)).to.deep.equal(new Set([`${stub.url}/`]));
      expect(proxy.requests).to.have.length(stub.requests.length);
      expect(proxy.tunnels).to.deep.equal([]);
    });
  }

  for (const name of ['NO_PROXY', 'no_proxy']) {
    it(`is bypassed for hosts in ${name}`, async () => {
      const variables = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, [name]: 'example.com,127.0.0.1' };
      await ask({ ...KEYS, ...variables, AWS_ENDPOINT_URL_SQS: stub.url });
      expect([proxy.tunnels, proxy.requests]).to.deep.equal([[], []]);
    });
  }

  it("gets the request to STS for a role's credentials", async () => {
    await writeFile(join(folder, 'token'), 'a token');
    await ask({
      HTTPS_PROXY: proxy.url,
      AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/spec',
    });
    expect(new Set(proxy.tunnels)).to.deep.equal(new Set([`${STS}:443`, `${SQS}:443`]));
    expect(lastSender()).to.equal('AKIAROLE');
  });

  it('gets the requests for single sign-on credentials, and for a new token', async () => {
    const config = join(folder, 'config');
    const account = 'sso_account_id = 123456789012\nsso_role_name = spec\n';
    const session = 'sso_start_url = https://spec.awsapps.com/start\nsso_region = eu-west-1\n';
    await writeFile(
      config,
      `[profile spec]\nsso_session = work\n${account}[sso-session work]\n${session}sso_registration_scopes = sso:account:access\n`,
    );
    const cache = join(folder, '.aws/sso/cache');
    await mkdir(cache, { recursive: true });
    const token = {
      accessToken: 'old',
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
      refreshToken: 'refresh',
      clientId: 'id',
      clientSecret: 'secret',
      registrationExpiresAt: new Date(EXPIRATION).toISOString(),
    };
    const file = `${createHash('sha1').update('work').digest('hex')}.json`;
    await writeFile(join(cache, file), JSON.stringify(token));
    await ask({ HTTPS_PROXY: proxy.url, AWS_PROFILE: 'spec', AWS_CONFIG_FILE: config });
    expect(new Set(proxy.tunnels)).to.deep.equal(new Set([`${SSO_OIDC}:443`, `${SSO}:443`, `${SQS}:443`]));
    expect(lastSender()).to.equal('AKIASSO');
  });
});
