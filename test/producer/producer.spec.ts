import { expect } from 'chai';
import sinon from 'sinon';
import type { Message } from '../../src/brokers/broker.ts';
import { BrokerError, QueueNotFoundError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import type { MemoryQueue } from '../../src/brokers/memory/queue.ts';
import { UnserializableArgumentError } from '../../src/message/call.ts';
import { replaceBrokers } from '../../src/producer/connections.ts';
import { queue } from '../../src/producer/producer.ts';
import { BatchError, SendError } from '../../src/producer/send-results.ts';
import { rejection } from '../support/rejection.ts';

/** A broker in memory whose queues must be created before they are opened, as on SQS. */
class BrokerOfMadeQueues extends MemoryBroker {
  override async open(name: string): Promise<MemoryQueue> {
    const found = this.find(name);
    if (!found) throw new QueueNotFoundError(name, this.description);
    return found;
  }
}

describe('a producer', () => {
  let broker: BrokerOfMadeQueues;

  beforeEach(async () => {
    broker = new BrokerOfMadeQueues();
    await broker.create('adder');
    await broker.create('adder.fifo');
    replaceBrokers(broker);
  });

  afterEach(async () => {
    replaceBrokers(undefined);
    sinon.restore();
    await broker.close();
  });

  async function received(name = 'adder'): Promise<Message[]> {
    return (await broker.open(name)).receive({ max: 10, waitSeconds: 0 });
  }

  async function spyOnRequests(name = 'adder'): Promise<sinon.SinonSpy> {
    return sinon.spy(await broker.open(name), 'send');
  }

  it('sends its arguments as a call, and returns the message id and the body', async () => {
    const adder = queue<[number, number]>('adder');
    const sent = await adder(1, 2);
    const [message, ...others] = await received();
    expect(sent).to.deep.equal({ messageId: message?.id, body: '[[1,2],{}]' });
    expect(message).to.include({ body: '[[1,2],{}]' });
    expect(message?.attributes).to.deep.equal({});
    expect(others).to.deep.equal([]);
  });

  it('sends an object as the last argument as keyword arguments', async () => {
    const adder = queue('adder');
    expect((await adder(1, { x: 3 })).body).to.equal('[[1],{"x":3}]');
  });

  it('knows the name of its queue and opens nothing before the first call', async () => {
    const open = sinon.spy(broker, 'open');
    const adder = queue('adder');
    expect(adder.queueName).to.equal('adder');
    expect(adder.with({ delaySeconds: 1 }).queueName).to.equal('adder');
    expect(open.callCount).to.equal(0);
    await adder(1);
    await adder(2);
    expect(open.callCount).to.equal(1);
  });

  it('sends calls made together in requests of ten', async () => {
    const requests = await spyOnRequests();
    const open = sinon.spy(broker, 'open');
    const adder = queue<[number]>('adder');
    const numbers = Array.from({ length: 25 }, (_, index) => index);
    const first = await Promise.all(numbers.map((number) => adder(number)));
    expect(requests.callCount).to.equal(3);
    await Promise.all(numbers.map((number) => adder(number)));
    expect(requests.callCount).to.equal(6);
    expect(first.map(({ body }) => body)).to.deep.equal(numbers.map((number) => `[[${number}],{}]`));
    expect(open.callCount).to.equal(1);
  });

  it('returns the sequence number from a FIFO queue', async () => {
    const sent = await queue('adder.fifo')(1);
    const [message] = await received('adder.fifo');
    expect(sent.sequenceNumber).to.be.a('string').that.equals(message?.sequenceNumber);
  });

  it('keeps the order of the calls on a FIFO queue', async () => {
    const adder = queue<[number]>('adder.fifo');
    await Promise.all([adder(1), adder(2), adder(3)]);
    expect((await received('adder.fifo')).map(({ body }) => body)).to.deep.equal([
      '[[1],{}]',
      '[[2],{}]',
      '[[3],{}]',
    ]);
  });

  describe('with options', () => {
    it('applies them to every message', async () => {
      const attributes = { kind: { dataType: 'String', stringValue: 'sum' } };
      await queue('adder.fifo').with({ groupId: 'g', deduplicationId: 'd', attributes })(1);
      const [message] = await received('adder.fifo');
      expect(message).to.deep.include({ body: '[[1],{}]', groupId: 'g', deduplicationId: 'd', attributes });
    });

    it('delays its messages', async () => {
      const adder = queue('adder');
      await adder.with({ delaySeconds: 900 })(1);
      await adder(2);
      expect(await (await broker.open('adder')).counts()).to.include({ delayed: 1, visible: 1 });
    });

    it('adds to earlier options, and does not change the first producer', async () => {
      const adder = queue('adder.fifo');
      const grouped = adder.with({ groupId: 'g' });
      await grouped.with({ deduplicationId: 'd' })(1);
      await grouped.with({ groupId: 'other' })(2);
      await adder(3);
      const messages = await received('adder.fifo');
      const groups = new Map(messages.map(({ body, groupId }) => [body, groupId]));
      expect(groups).to.deep.equal(
        new Map([
          ['[[1],{}]', 'g'],
          ['[[2],{}]', 'other'],
          ['[[3],{}]', 'default'],
        ]),
      );
      expect(messages.find(({ groupId }) => groupId === 'g')?.deduplicationId).to.equal('d');
    });

    it('refuses a delay longer than the broker supports, and suggests an alternative', async () => {
      const error = await rejection(queue('adder').with({ delaySeconds: 3600 })(1));
      expect(error).to.be.instanceOf(SendError);
      expect(error.message).to.contain('3600 s').and.contain('EventBridge Scheduler');
      expect((error as SendError).outgoing.body).to.equal('[[1],{}]');
    });
  });

  describe('of a batch', () => {
    it('sends a message for each call, ten per request, and returns the results in order', async () => {
      const requests = await spyOnRequests();
      const calls = Array.from({ length: 12 }, (_, index): [number, number] => [index, 1]);
      const sent = await queue<[number, number]>('adder').batch(calls);
      expect(requests.callCount).to.equal(2);
      expect(sent.map(({ body }) => body)).to.deep.equal(calls.map((args) => `[${JSON.stringify(args)},{}]`));
    });

    it('sends nothing for no calls', async () => {
      const requests = await spyOnRequests();
      expect(await queue('adder').batch([])).to.deep.equal([]);
      expect(requests.callCount).to.equal(0);
    });

    it('applies its options to every message', async () => {
      await queue('adder')
        .with({ delaySeconds: 60 })
        .batch([[1], [2]]);
      expect(await (await broker.open('adder')).counts()).to.include({ delayed: 2, visible: 0 });
    });

    it('sends the others if some cannot be sent, and reports which', async () => {
      const batch = queue('adder').batch([[1], [() => 2], ['x'.repeat(1_048_576)], [4]]);
      const error = (await rejection(batch)) as BatchError;
      expect(error).to.be.instanceOf(BatchError);
      expect(error.message).to.equal(
        '2 of 4 messages were not sent to the queue "adder": Cannot write the call as JSON: argument 1 is a function.',
      );
      const [first, second, third, fourth] = error.results;
      expect([first, fourth].map((result) => (result as { body: string }).body)).to.deep.equal([
        '[[1],{}]',
        '[[4],{}]',
      ]);
      expect(second).to.be.instanceOf(UnserializableArgumentError);
      expect(third).to.be.instanceOf(SendError);
      expect(error.errors).to.deep.equal([second, third]);
      expect(await received()).to.have.length(2);
    });
  });

  describe('that cannot send', () => {
    it('names the path of a value that is not JSON, and sends nothing', async () => {
      const requests = await spyOnRequests();
      const error = await rejection(queue('adder')(1, { order: [{ total: 10n }] }, 3));
      expect(error).to.be.instanceOf(UnserializableArgumentError);
      expect(error.message).to.contain('argument 2.order[0].total is a bigint');
      expect(requests.callCount).to.equal(0);
    });

    it('rejects only the call that the broker refuses', async () => {
      const adder = queue<[number]>('adder');
      const attributes = Object.fromEntries(
        Array.from({ length: 11 }, (_, index) => [`a${index}`, { dataType: 'String', stringValue: 'x' }]),
      );
      const requests = await spyOnRequests();
      const calls = [adder(1), adder.with({ attributes })(2), adder(3)];
      const statuses = (await Promise.allSettled(calls)).map(({ status }) => status);
      expect(requests.callCount).to.equal(1);
      expect(statuses).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
      expect(await received()).to.have.length(2);
    });

    it('reports a missing queue, and works once it has been created', async () => {
      const late = queue('late');
      const error = await rejection(late(1));
      expect(error).to.be.instanceOf(QueueNotFoundError);
      expect(error.message).to.contain('"late"').and.contain('sqs-queues create late');
      await broker.create('late');
      await late(1);
      expect(await received('late')).to.have.length(1);
    });

    it('reports a queue deleted in the meantime, and works once it has been created again', async () => {
      const adder = queue('adder');
      await adder(1);
      await broker.remove('adder');
      expect(await rejection(adder(2))).to.be.instanceOf(QueueNotFoundError);
      await broker.create('adder');
      await adder(3);
      expect((await received()).map(({ body }) => body)).to.deep.equal(['[[3],{}]']);
    });

    it('recreates a deleted queue if opening creates queues', async () => {
      const embedded = new MemoryBroker();
      replaceBrokers(embedded);
      const adder = queue('adder');
      await adder(1);
      await embedded.remove('adder');
      expect(await rejection(adder(2))).to.be.instanceOf(QueueNotFoundError);
      await adder(3);
      expect(embedded.find('adder')?.currentCounts.visible).to.equal(1);
    });

    it('opens the queue again after a failure', async () => {
      sinon.stub(broker, 'open').onFirstCall().rejects(new BrokerError('unreachable', 'down')).callThrough();
      const adder = queue('adder');
      expect((await rejection(adder(1))).message).to.equal('down');
      await adder(1);
      expect(await received()).to.have.length(1);
    });
  });
});
