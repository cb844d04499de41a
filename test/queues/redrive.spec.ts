import { expect } from 'chai';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { replaceBrokers } from '../../src/producer/connections.ts';
import { redrive } from '../../src/queues/redrive.ts';
import { rejection } from '../support/rejection.ts';

describe('pushing back from a dead-letter queue', () => {
  let broker: MemoryBroker;
  beforeEach(() => {
    broker = new MemoryBroker();
    replaceBrokers(broker);
  });
  afterEach(() => replaceBrokers(undefined));

  async function fill(name: string, bodies: readonly string[]): Promise<void> {
    const queue = await broker.open(name);
    for (const body of bodies) {
      const attributes = { JobName: { dataType: 'String', stringValue: 'mail' } };
      const group = queue.fifo ? { groupId: body.slice(0, 1), deduplicationId: body } : {};
      await queue.send([{ body, attributes, ...group }]);
    }
  }

  async function contents(name: string): Promise<string[]> {
    const messages = [];
    const queue = await broker.open(name);
    for (;;) {
      const some = await queue.receive({ max: 10, waitSeconds: 0 });
      if (some.length === 0) return messages;
      messages.push(...some.map(({ body, attributes }) => `${body} ${attributes.JobName?.stringValue}`));
    }
  }

  it('moves every message with its attributes', async () => {
    const bodies = Array.from({ length: 25 }, (_, index) => String(index));
    await fill('mails-dead', bodies);
    expect(await redrive('mails-dead', 'mails')).to.equal(25);
    expect(await contents('mails')).to.deep.equal(bodies.map((body) => `${body} mail`));
    expect((await (await broker.open('mails-dead')).counts()).inFlight).to.equal(0);
  });

  it('keeps groups and their order on FIFO queues', async () => {
    await fill('dead.fifo', ['a1', 'b1', 'a2', 'b2']);
    expect(await redrive('dead.fifo', 'mails.fifo')).to.equal(4);
    const [first, ...others] = await (await broker.open('mails.fifo')).receive({ max: 10, waitSeconds: 0 });
    expect(first?.groupId).to.equal('a');
    expect(
      [first, ...others].map((message) => message?.body).filter((body) => body?.startsWith('b')),
    ).to.deep.equal(['b1', 'b2']);
  });

  it('begins the receives of each message anew, so that it does not come straight back', async () => {
    await broker.create('mails-dead', {});
    await broker.create('mails', {
      visibilityTimeout: 0,
      deadLetterQueue: { name: 'mails-dead', maxReceives: 2 },
    });
    await fill('mails', ['1']);
    const mails = await broker.open('mails');
    const counts: number[] = [];
    for (let receive = 0; receive < 6; receive += 1) {
      const [message] = await mails.receive({ max: 1, waitSeconds: 0 });
      if (message) counts.push(message.receiveCount);
      else expect(await redrive('mails-dead', 'mails')).to.equal(1);
    }
    expect(counts).to.deep.equal([1, 2, 1, 2]);
  });

  it('does nothing with an empty queue', async () => {
    expect(await redrive('mails-dead', 'mails')).to.equal(0);
  });

  it('leaves what the other queue refuses, and moves the rest', async () => {
    await fill('mails-dead', ['1', '2']);
    const mails = await broker.open('mails');
    const send = mails.send.bind(mails);
    mails.send = async (messages) => {
      const results = await send(messages.filter(({ body }) => body !== '1'));
      return messages.map(({ body }) =>
        body === '1'
          ? { ok: false, code: 'InvalidMessageContents', message: 'no', retryable: false }
          : results.shift()!,
      );
    };
    const error = await rejection(redrive('mails-dead', 'mails'));
    expect(error.message).to.contain('InvalidMessageContents');
    expect(await broker.find('mails-dead')?.counts()).to.include({ inFlight: 0, visible: 1 });
    expect(await contents('mails')).to.deep.equal(['2 mail']);
  });
});
