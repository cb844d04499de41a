import { expect } from 'chai';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import type { Broker } from '../../src/brokers/broker.ts';
import { QueueNotFoundError } from '../../src/brokers/errors.ts';
import { openSqs } from '../../src/brokers/sqs/broker.ts';
import { itKeepsTheContract } from '../../src/contract/contract.ts';

let server: FauxqsServer;
let opened: Broker[] = [];

before(async () => {
  server = await startFauxqs({ port: 0, logger: false });
});

after(async () => {
  await server.stop();
});

async function open(): Promise<Broker> {
  const broker = await openSqs({ endpoint: `http://127.0.0.1:${server.port}`, emulator: true });
  opened.push(broker);
  return broker;
}

async function close(): Promise<void> {
  await Promise.all(opened.map((broker) => broker.close()));
  opened = [];
}

itKeepsTheContract(
  'SQS (the emulator fauxqs)',
  async () => ({ broker: await open(), secondBroker: open }),
  close,
  {
    severalOfAGroup: false,
    fairQueues: false,
    refusesBadReceipts: false,
    refusesLongDelays: false,
    countsDeadLettersAnew: false,
    listsSources: false,
    controlCharacters: false,
    astralCharacters: false,
  },
);

describe('the SQS broker', () => {
  let broker: Broker;

  before(async () => {
    broker = await open();
  });

  after(close);

  function attributesOf(name: string): Record<string, string> {
    return server.inspectQueue(name)?.attributes ?? {};
  }

  it("creates a queue with settings in SQS's format", async () => {
    await broker.create('made-dead');
    await broker.create('made', {
      visibilityTimeout: 60,
      delaySeconds: 5,
      retentionSeconds: 3600,
      deadLetterQueue: { name: 'made-dead', maxReceives: 3 },
    });
    expect(attributesOf('made')).to.include({
      VisibilityTimeout: '60',
      DelaySeconds: '5',
      MessageRetentionPeriod: '3600',
      RedrivePolicy:
        '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:made-dead","maxReceiveCount":3}',
    });
    expect(attributesOf('made')).not.to.have.property('FifoQueue');
  });

  it('creates FIFO queues for names that end in .fifo', async () => {
    await broker.create('made.fifo', { contentBasedDeduplication: true });
    expect(attributesOf('made.fifo')).to.include({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    const queue = await broker.open('made.fifo');
    expect(queue).to.include({ fifo: true, contentBasedDeduplication: true });
  });

  it('updates the settings of an existing queue', async () => {
    await broker.create('again', { visibilityTimeout: 60, delaySeconds: 5 });
    await broker.create('again', { visibilityTimeout: 90 });
    expect(attributesOf('again')).to.include({ VisibilityTimeout: '90', DelaySeconds: '5' });
    await broker.create('again.fifo', { visibilityTimeout: 60 });
    await broker.create('again.fifo', { visibilityTimeout: 90 });
    expect(attributesOf('again.fifo')).to.include({ VisibilityTimeout: '90', FifoQueue: 'true' });
  });

  it('refuses only a body with characters that SQS does not accept', async () => {
    await broker.create('characters');
    const queue = await broker.open('characters');
    const [zero, half, good] = await queue.send([{ body: 'a\u0000' }, { body: '\ud800' }, { body: 'ok' }]);
    for (const refused of [zero, half]) {
      expect(refused).to.include({ ok: false, code: 'InvalidMessageContents', retryable: false });
      expect(refused).to.have.property('message').that.contains('characters');
    }
    expect(good).to.have.property('ok', true);
  });

  it('does not create a queue whose dead-letter queue is missing, and names the missing one', async () => {
    const failure = await broker
      .create('orphan', { deadLetterQueue: { name: 'nowhere', maxReceives: 3 } })
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(QueueNotFoundError).and.include({ queue: 'nowhere' });
    expect(await broker.list('orphan')).to.deep.equal([]);
  });
});
