import { expect } from 'chai';
import { QueueNotFoundError } from '../../src/brokers/errors.ts';
import { deadlinePassed, entryFailure, requestFailure } from '../../src/brokers/sqs/failures.ts';

const attempt = { action: 'ReceiveMessage', queue: 'adder', place: 'SQS in region eu-west-1' };

function answered(httpStatusCode: number, name: string, message = 'Told so.'): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
}

function system(code: string, message = `connect ${code} 10.0.0.1:443`): Error {
  return Object.assign(new Error(message), { code });
}

describe('the failures of SQS requests', () => {
  const kinds: [string, Error, string][] = [
    ['a refused connection', system('ECONNREFUSED'), 'unreachable'],
    ['a host name that does not resolve', system('ENOTFOUND'), 'unreachable'],
    ['a bad certificate', system('DEPTH_ZERO_SELF_SIGNED_CERT'), 'unreachable'],
    ['a truncated answer', answered(200, 'Error', 'aborted'), 'unreachable'],
    ['a 500 with an unknown code', answered(500, 'Unknown'), 'unreachable'],
    ['a 503', answered(503, 'ServiceUnavailable'), 'unreachable'],
    ['a throttled request', answered(400, 'RequestThrottled'), 'throttled'],
    ['the older code for throttling', answered(400, 'AWS.SimpleQueueService.RequestThrottled'), 'throttled'],
    ['a 429 with an unknown code', answered(429, 'Unknown'), 'throttled'],
    ['too many messages in flight', answered(403, 'OverLimit'), 'throttled'],
    ['a second purge within a minute', answered(403, 'PurgeQueueInProgress'), 'throttled'],
    ['an expired token', answered(403, 'ExpiredToken'), 'credentials'],
    [
      'an expired token with its namespace',
      answered(403, 'com.amazon.coral.service#ExpiredTokenException'),
      'credentials',
    ],
    ['an unknown access key', answered(403, 'InvalidClientTokenId'), 'credentials'],
    ['a wrong signature', answered(403, 'SignatureDoesNotMatch'), 'credentials'],
    ['no credentials', Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), 'credentials'],
    ['a missing permission', answered(403, 'AccessDeniedException'), 'denied'],
    ['a 403 with an unknown code', answered(403, 'Unknown'), 'denied'],
    ['a missing queue', answered(400, 'QueueDoesNotExist'), 'missing'],
    [
      'the older code for a missing queue',
      answered(400, 'AWS.SimpleQueueService.NonExistentQueue'),
      'missing',
    ],
    ['a missing queue with its namespace', answered(400, 'com.amazonaws.sqs#QueueDoesNotExist'), 'missing'],
    ['a request that SQS refuses', answered(400, 'InvalidParameterValue'), 'rejected'],
    ['a bug in this process', new TypeError('undefined is not a function'), 'rejected'],
  ];
  for (const [what, cause, kind] of kinds) {
    it(`classify ${what} as "${kind}" and keep the cause`, () => {
      const failure = requestFailure(cause, attempt);
      expect(failure.kind).to.equal(kind);
      expect(failure.cause).to.equal(cause);
    });
  }

  it('name the queue and the region when the queue is missing', () => {
    const failure = requestFailure(answered(400, 'QueueDoesNotExist'), attempt);
    expect(failure).to.be.instanceOf(QueueNotFoundError);
    expect(failure.message).to.contain('"adder"').and.contain('region eu-west-1');
  });

  it('name the missing permission, without "Batch"', () => {
    const failure = requestFailure(answered(403, 'AccessDenied', 'User x is not authorized.'), {
      ...attempt,
      action: 'DeleteMessageBatch',
    });
    expect(failure.message).to.equal(
      'SQS in region eu-west-1 denied DeleteMessageBatch on "adder": AccessDenied: User x is not authorized. Grant the permission sqs:DeleteMessage',
    );
  });

  it("name the permissions for an encrypted queue's key", () => {
    const failure = requestFailure(answered(400, 'KmsAccessDenied'), attempt);
    expect(failure.kind).to.equal('denied');
    expect(failure.message).to.contain('kms:Decrypt').and.not.contain('sqs:');
  });

  it('say what to do without credentials', () => {
    const cause = Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    });
    expect(requestFailure(cause, attempt).message).to.equal(
      'No AWS credentials for SQS in region eu-west-1: Could not load credentials from any providers. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assign a role to the instance, task or pod',
    );
  });

  it('show the code if a connection that failed on several addresses has no message', () => {
    const cause = Object.assign(new AggregateError([system('ECONNREFUSED')]), { code: 'ECONNREFUSED' });
    expect(requestFailure(cause, attempt).message).to.equal(
      'Cannot reach SQS in region eu-west-1 for ReceiveMessage on "adder": ECONNREFUSED. Check the network and the endpoint',
    );
  });

  it('fit on one line', () => {
    const cause = answered(
      200,
      'Error',
      'aborted\n  Deserialization error: to see the raw response, inspect it',
    );
    expect(requestFailure(cause, attempt).message).to.contain('aborted. Check').and.not.contain('\n');
  });

  it('say how long there was no answer', () => {
    const failure = deadlinePassed(25_000, attempt);
    expect(failure.kind).to.equal('unreachable');
    expect(failure.message).to.equal(
      'SQS in region eu-west-1 did not answer ReceiveMessage on "adder" within 25 seconds',
    );
  });
});

describe('the failures of single entries', () => {
  const entries: [string, string, boolean, boolean][] = [
    ['is retried if SQS is at fault', 'InternalError', false, true],
    ['is retried if its code allows it, even if SQS blames the sender', 'InternalError', true, true],
    ['is retried if it was throttled', 'RequestThrottled', true, true],
    ['is final if the sender is at fault', 'AccessDenied', true, false],
    [
      'is final for an invalid receipt handle, even if the sender is not blamed',
      'ReceiptHandleIsInvalid',
      false,
      false,
    ],
    [
      'is final for the older code for a message that is not in flight',
      'AWS.SimpleQueueService.MessageNotInflight',
      false,
      false,
    ],
  ];
  for (const [what, Code, SenderFault, retryable] of entries) {
    it(`an entry ${what}`, () => {
      expect(entryFailure({ Id: '0', Code, SenderFault, Message: 'So.' })).to.deep.include({
        ok: false,
        message: 'So.',
        retryable,
      });
    });
  }

  it('have plain codes', () => {
    const failure = entryFailure({
      Id: '0',
      Code: 'AWS.SimpleQueueService.MessageNotInflight',
      SenderFault: true,
    });
    expect(failure).to.deep.include({ code: 'MessageNotInflight', message: 'MessageNotInflight' });
  });
});
