import { expect } from 'chai';
import sinon from 'sinon';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { QueueNotFoundError } from '../../src/brokers/errors.ts';
import { openSqs } from '../../src/brokers/sqs/broker.ts';
import { rejection } from '../support/rejection.ts';
import { type Stub, startStub } from '../support/sqs-stub.ts';

describe('an SQS queue', () => {
  let stub: Stub;
  let broker: Broker;
  let queue: Queue;

  beforeEach(async () => {
    stub = await startStub();
    broker = await openSqs({ endpoint: stub.url, emulator: true });
    queue = await broker.open('jobs');
  });

  afterEach(async () => {
    sinon.restore();
    await broker.close();
    await stub.stop();
  });

  it('is found again after it was deleted and created again', async () => {
    stub.removeQueue('jobs');
    expect(await rejection(queue.receive({ max: 1, waitSeconds: 0 }))).to.be.instanceOf(QueueNotFoundError);
    stub.queue('jobs').preload(1);
    expect(await queue.receive({ max: 1, waitSeconds: 0 })).to.have.length(1);
    expect(stub.calls.GetQueueUrl).to.equal(2);
  });

  it('can also be opened by its URL', async () => {
    const asked = stub.calls.GetQueueUrl;
    const named = await broker.open('http://sqs.stub.invalid/000000000000/jobs');
    stub.queue('jobs').preload(1);
    expect(await named.receive({ max: 1, waitSeconds: 0 })).to.have.length(1);
    expect(stub.calls.GetQueueUrl).to.equal(asked);
  });

  it('is named, with its region, in the error if it does not exist', async () => {
    const failure = await rejection(broker.open('absent'));
    expect(failure).to.be.instanceOf(QueueNotFoundError);
    expect(failure.message).to.contain('"absent"').and.contain('us-east-1');
  });

  it('works without permission to read its settings, and warns consumers once', async () => {
    const warn = sinon.stub(process, 'emitWarning');
    stub.fault('GetQueueAttributes', { status: 403, code: 'AccessDenied' });
    const restricted = await broker.open('jobs');
    expect(restricted.visibilityTimeout).to.equal(30);
    await restricted.send([{ body: 'x' }]);
    expect(warn.callCount).to.equal(0);
    expect(await restricted.receive({ max: 1, waitSeconds: 0 })).to.have.length(1);
    await restricted.receive({ max: 1, waitSeconds: 0 });
    expect(warn.callCount).to.equal(1);
    expect(warn.firstCall.args[0]).to.contain('"jobs"').and.contain('sqs:GetQueueAttributes');
  });

  it('is recognized as FIFO by the name in its URL, without permission to read its settings', async () => {
    stub.fault('GetQueueAttributes', { status: 403, code: 'AccessDenied' });
    const opened = await broker.open('https://queues.example.org/000000000000/jobs.fifo');
    expect([opened.fifo, opened.contentBasedDeduplication]).to.deep.equal([true, false]);
  });

  it('knows its visibility timeout, and leaves it to SQS if a receive does not set one', async () => {
    stub.queue('jobs').visibilityTimeout = 77;
    const opened = await broker.open('jobs');
    expect(opened.visibilityTimeout).to.equal(77);
    await opened.receive({ max: 1, waitSeconds: 0 });
    expect(JSON.parse(stub.requests.at(-1)!.body)).not.to.have.property('VisibilityTimeout');
  });

  it('requests the system attributes and all message attributes', async () => {
    await queue.receive({ max: 1, waitSeconds: 0 });
    const { MessageSystemAttributeNames, MessageAttributeNames } = JSON.parse(stub.requests.at(-1)!.body);
    expect(MessageSystemAttributeNames).to.have.members([
      'ApproximateReceiveCount',
      'SentTimestamp',
      'MessageGroupId',
      'MessageDeduplicationId',
      'SequenceNumber',
    ]);
    expect(MessageAttributeNames).to.deep.equal(['All']);
  });

  it("requests whole seconds within SQS's limits", async () => {
    const sent = () => JSON.parse(stub.requests.at(-1)!.body);
    stub.queue('jobs').preload(2);
    await queue.receive({ max: 1, waitSeconds: 0.2, visibilityTimeout: 1.5 });
    expect(sent()).to.include({ WaitTimeSeconds: 1, VisibilityTimeout: 2 });
    await queue.receive({ max: 1, waitSeconds: 30 });
    expect(sent()).to.include({ WaitTimeSeconds: 20 });
    await queue.send([{ body: 'later', delaySeconds: 0.5 }]);
    expect(sent().Entries[0]).to.include({ DelaySeconds: 1 });
  });

  it('returns results in the order of the entries, whatever the order in the answer', async () => {
    stub.fault('SendMessageBatch', { entries: [0], code: 'InternalError', senderFault: false });
    const [first, ...others] = await queue.send([{ body: 'a' }, { body: 'b' }, { body: 'c' }]);
    expect(first).to.include({ ok: false, code: 'InternalError', retryable: true });
    expect(others.map(({ ok }) => ok)).to.deep.equal([true, true]);

    const messages = await queue.receive({ max: 10, waitSeconds: 0 });
    const changes = messages.map(({ receiptHandle }) => ({ receiptHandle, seconds: 5 }));
    stub.fault('ChangeMessageVisibilityBatch', {
      entries: [1],
      code: 'MessageNotInflight',
      senderFault: true,
    });
    const [changed, lost] = await queue.changeVisibility(changes);
    expect(changed).to.deep.equal({ ok: true });
    expect(lost).to.include({ ok: false, code: 'MessageNotInflight', retryable: false });
  });

  it('returns a retryable failure for an entry that is missing from the answer', async () => {
    await queue.send([{ body: 'a' }, { body: 'b' }]);
    const messages = await queue.receive({ max: 10, waitSeconds: 0 });
    stub.fault('DeleteMessageBatch', { forgotten: ['0'] });
    const [forgotten, deleted] = await queue.delete(messages.map(({ receiptHandle }) => receiptHandle));
    expect(forgotten).to.include({ ok: false, code: 'Unanswered', retryable: true });
    expect(deleted).to.deep.equal({ ok: true });
  });

  it('fails a single message when SQS refuses its request, but throws for several messages', async () => {
    const refusal = {
      status: 400,
      code: 'com.amazonaws.sqs#InvalidMessageContents',
      message: 'Invalid #x0.',
    };
    stub.fault('SendMessageBatch', refusal, 2);
    const [result] = await queue.send([{ body: 'a' }]);
    expect(result).to.include({ ok: false, code: 'InvalidMessageContents', retryable: false });
    expect(result).to.have.property('message').that.contains('Invalid #x0');
    const failure = await rejection(queue.send([{ body: 'a' }, { body: 'b' }]));
    expect(failure).to.have.property('kind', 'rejected');
    expect(failure.message).to.contain('InvalidMessageContents: Invalid #x0');
  });

  it('sends the group and deduplication id of FIFO messages, and none for other messages', async () => {
    await queue.send([{ body: 'a', groupId: 'g', deduplicationId: 'd' }, { body: 'b' }]);
    expect(JSON.parse(stub.requests.at(-1)!.body).Entries).to.deep.equal([
      { Id: '0', MessageBody: 'a', MessageGroupId: 'g', MessageDeduplicationId: 'd' },
      { Id: '1', MessageBody: 'b' },
    ]);
  });

  it('is listed even if the list takes several requests', async () => {
    for (let index = 0; index < 1001; index += 1) stub.queue(`many-${index}`);
    expect(await broker.list('many-')).to.have.length(1001);
    expect(stub.calls.ListQueues).to.equal(2);
  });
});
