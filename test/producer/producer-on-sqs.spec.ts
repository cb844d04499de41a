import { expect } from 'chai';
import { QueueNotFoundError } from '../../src/brokers/errors.ts';
import { closeProducers } from '../../src/producer/connections.ts';
import { queue } from '../../src/producer/producer.ts';
import { SendError } from '../../src/producer/send-results.ts';
import { type Stub, startStub } from '../support/sqs-stub.ts';

describe('a producer on SQS', () => {
  let stub: Stub;
  let broker: string;

  beforeEach(async () => {
    stub = await startStub();
    broker = `sqs+${stub.url}`;
  });

  afterEach(async () => {
    await closeProducers();
    await stub.stop();
  });

  it('sends 25 calls made together in three requests, the first time and later', async () => {
    const jobs = queue<[number]>('jobs', { broker });
    const numbers = Array.from({ length: 25 }, (_, index) => index);
    await Promise.all(numbers.map((number) => jobs(number)));
    expect(stub.calls).to.deep.equal({ GetQueueUrl: 1, GetQueueAttributes: 1, SendMessageBatch: 3 });
    await Promise.all(numbers.map((number) => jobs(number)));
    expect(stub.calls.SendMessageBatch).to.equal(6);
    expect(stub.queue('jobs').counts.visible).to.equal(50);
  });

  it('rejects only the call that SQS refuses', async () => {
    stub.fault('SendMessageBatch', { entries: [1], code: 'InvalidMessageContents', senderFault: true });
    const jobs = queue<[number]>('jobs', { broker });
    const [first, second, third] = await Promise.allSettled([jobs(1), jobs(2), jobs(3)]);
    expect([first.status, third.status]).to.deep.equal(['fulfilled', 'fulfilled']);
    expect((second as PromiseRejectedResult).reason)
      .to.be.instanceOf(SendError)
      .and.to.deep.include({ code: 'InvalidMessageContents', outgoing: { body: '[[2],{}]' } });
  });

  it('sends to a missing queue once it has been created', async () => {
    const late = queue('late', { broker });
    const error: unknown = await late(1).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(QueueNotFoundError);
    expect((error as Error).message)
      .to.contain('"late"')
      .and.contain(stub.url);
    stub.queue('late');
    await late(1);
    expect(stub.queue('late').counts.visible).to.equal(1);
  });
});
