import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import sinon from 'sinon';
import type { Broker } from '../../src/brokers/broker.ts';
import { openSqs } from '../../src/brokers/sqs/broker.ts';
import { type Stub, type StubRequest, startStub } from '../sqs-stub.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

/** The signature of a request as "Create a signed AWS API request" in the IAM user guide computes it, step by step. */
function signatureOf(request: StubRequest, signedHeaders: string[], scope: string): string {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

  const canonicalHeaders = signedHeaders.map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const canonicalRequest = [
    request.method,
    request.path,
    '',
    canonicalHeaders.join(''),
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');
  const stringToSign = [
    'AWS4-HMAC-SHA256',
    request.headers['x-amz-date'],
    scope,
    sha256(canonicalRequest),
  ].join('\n');
  const signingKey = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${SECRET}`);
  return hmac(signingKey, stringToSign).toString('hex');
}

describe('requests to SQS are signed', () => {
  let stub: Stub;
  let broker: Broker;

  beforeEach(async () => {
    sinon.stub(process, 'env').value({
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: SECRET,
      AWS_SESSION_TOKEN: 'session+token/=',
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

  it('with a signature that AWS would compute too, over the body, host, time, action and session token', async () => {
    const queue = await broker.open('jobs');
    await queue.send([{ body: 'grüße 👋 [1, 2]' }]);
    await queue.receive({ max: 10, waitSeconds: 0 });
    expect(stub.requests).to.have.length(4);
    for (const request of stub.requests) {
      const [, scope = '', headers = '', signature] =
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(
          request.headers.authorization ?? '',
        ) ?? [];
      expect(scope).to.match(/^\d{8}\/eu-central-1\/sqs\/aws4_request$/);
      expect(request.headers['x-amz-date']).to.match(new RegExp(`^${scope.slice(0, 8)}T\\d{6}Z$`));
      const signed = headers.split(';');
      expect(signed).to.include.members(['host', 'x-amz-date', 'x-amz-target', 'x-amz-security-token']);
      expect(signature).to.equal(signatureOf(request, signed, scope));
    }
  });

  it('with the time of AWS when the clock of this machine is wrong', async () => {
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
