import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import type { Broker } from '../../src/brokers/broker.ts';
import { openSqs } from '../../src/brokers/sqs/broker.ts';
import { type Credentials, Signer } from '../../src/brokers/sqs/signer.ts';
import { codePoint } from '../support/code-point.ts';
import { type Stub, startStub } from '../support/sqs-stub.ts';

const CREDENTIALS: Credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'session+token/=',
};

/** SHA-256, or HMAC-SHA-256 with a secret, in the interface of the SDK's signer. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('The SDK makes a new one for each hash.');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof data === 'string') return data;
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The `authorization` header from the AWS SDK's own signer for a POST with these `headers`. */
async function authorizationBySdk(
  { path, headers, body }: Request,
  credentials: Credentials,
  region: string,
  signingDate: Date,
): Promise<string | undefined> {
  const { sessionToken, ...keys } = credentials;
  const signer = new SignatureV4({
    credentials: { ...keys, ...(sessionToken !== undefined && { sessionToken }) },
    region,
    service: 'sqs',
    sha256: Sha256,
    applyChecksum: false,
  });
  const request = { method: 'POST', protocol: 'https:', hostname: '', path, query: {}, headers, body };
  const signed = await signer.sign(request, { signingDate, signableHeaders: new Set(Object.keys(headers)) });
  return signed.headers.authorization;
}

describe('a signer of requests to SQS', () => {
  const text = (unit: string) => fc.stringMatching(new RegExp(`^${unit}{1,40}$`));
  const credentials = fc.record(
    { accessKeyId: text('[A-Z0-9]'), secretAccessKey: text('[!-~]'), sessionToken: text('[!-~]') },
    { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
  );
  const headers: fc.Arbitrary<Record<string, string>> = fc.record({
    host: text('[a-z0-9.:-]'),
    'x-amz-target': text('[A-Za-z.]'),
  });
  const date = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
  const body = fc.string({ unit: codePoint }).map((string) => string.toWellFormed());
  // As in URLs, where spaces and letters with accents are already encoded.
  const path = fc
    .array(
      fc.oneof(text('[a-z0-9]'), fc.constantFrom('%20', '/', '.', '..'), fc.string({ unit: 'grapheme' })),
    )
    .map((parts) => new URL(`http://host/${parts.join('').replaceAll(/[?#]/g, '')}`).pathname);

  it("agrees with the AWS SDK's signer, also for paths with encoded characters", async () => {
    const region = 'eu-central-1';
    const signer = new Signer(region);
    const request = fc.record({ path, headers, body });
    await fc.assert(
      fc.asyncProperty(request, credentials, date, async (request, credentials, date) => {
        const { authorization } = signer.sign(credentials, request.path, request.headers, request.body, date);
        expect(authorization).to.equal(await authorizationBySdk(request, credentials, region, date));
      }),
      { numRuns: 300 },
    );
  });
});

describe('requests to SQS are signed', () => {
  let stub: Stub;
  let broker: Broker;

  beforeEach(async () => {
    sinon.stub(process, 'env').value({
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
      AWS_CONFIG_FILE: '/nonexistent/config',
    });
    stub = await startStub();
    broker = await openSqs({ region: 'eu-central-1', endpoint: stub.url });
  });

  afterEach(async () => {
    sinon.restore();
    await broker.close();
    await stub.stop();
  });

  it('with the same signature as AWS, over the body, host, time, action and session token', async () => {
    const queue = await broker.open('jobs');
    await queue.send([{ body: 'grüße 👋 [1, 2]' }]);
    await queue.receive({ max: 10, waitSeconds: 0 });
    expect(stub.requests).to.have.length(4);
    for (const { path, headers, body } of stub.requests) {
      const [, scope = '', names = ''] =
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\S+), SignedHeaders=(\S+), Signature=[0-9a-f]{64}$/.exec(
          headers.authorization ?? '',
        ) ?? [];
      expect(scope).to.match(/^\d{8}\/eu-central-1\/sqs\/aws4_request$/);
      const time = String(headers['x-amz-date']);
      expect(time).to.match(new RegExp(`^${scope.slice(0, 8)}T\\d{6}Z$`));
      const signed = names.split(';');
      expect(signed).to.include.members(['host', 'x-amz-date', 'x-amz-target', 'x-amz-security-token']);
      const signedHeaders = Object.fromEntries(signed.map((name) => [name, String(headers[name])]));
      const date = new Date(time.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
      const request = { path, headers: signedHeaders, body };
      expect(headers.authorization).to.equal(
        await authorizationBySdk(request, CREDENTIALS, 'eu-central-1', date),
      );
    }
  });

  it("with AWS's time if the local clock is wrong", async () => {
    const queue = await broker.open('jobs');
    const date = new Date(Date.now() + 3_600_000);
    stub.fault('SendMessageBatch', { status: 403, code: 'InvalidSignatureException', date });
    await queue.send([{ body: 'a' }]);
    const [wrong, right] = stub.requests.slice(-2).map(({ headers }) => headers['x-amz-date']);
    const time = date.toISOString().replaceAll(/[-:]|\.\d+/g, '');
    expect(wrong).to.not.equal(right);
    expect(Math.abs(Number(right?.slice(9, 15)) - Number(time.slice(9, 15)))).to.be.at.most(100);
  });

  it('over connections that are kept open', async () => {
    await broker.open('jobs');
    expect(stub.requests.map(({ headers }) => headers.connection)).to.deep.equal([
      'keep-alive',
      'keep-alive',
    ]);
  });
});
