import { expect } from 'chai';
import type { Queue } from '../../../src/brokers/broker.ts';
import { MemoryBroker } from '../../../src/brokers/memory/broker.ts';
import { countedBroker } from '../../../src/observe/metrics/counted-broker.ts';
import { rejection } from '../../support/rejection.ts';

describe('a broker whose requests are counted', () => {
  async function openCounted() {
    const requests: [string, string, number][] = [];
    const broker = countedBroker(new MemoryBroker(), (...request) => requests.push(request));
    return { broker, queue: await broker.open('work'), requests };
  }

  it('passes requests on, and reports each one with its SQS name', async () => {
    const { queue, requests } = await openCounted();
    await queue.send([{ body: 'abc' }, { body: 'de' }]);
    const messages = await queue.receive({ max: 10, waitSeconds: 0 });
    expect(messages.map(({ body }) => body)).to.deep.equal(['abc', 'de']);
    const [one, other] = messages.map(({ receiptHandle }) => receiptHandle) as [string, string];
    await queue.changeVisibility([{ receiptHandle: one, seconds: 0 }]);
    await queue.delete([other]);
    expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
    await queue.purge();
    expect(requests).to.deep.equal([
      ['work', 'SendMessageBatch', 5],
      ['work', 'ReceiveMessage', 5],
      ['work', 'ChangeMessageVisibilityBatch', 0],
      ['work', 'DeleteMessageBatch', 0],
      ['work', 'GetQueueAttributes', 0],
      ['work', 'PurgeQueue', 0],
    ]);
  });

  it('is otherwise the same as the broker', async () => {
    const { broker, queue } = await openCounted();
    const memory = new MemoryBroker();
    const { description, maxDelaySeconds, makesQueues } = memory;
    expect(broker).to.include({ description, maxDelaySeconds, makesQueues });
    const { name, fifo, abortsReceives, limits, visibilityTimeout, contentBasedDeduplication } =
      await memory.open('work');
    expect(queue).to.include({ name, fifo, abortsReceives, limits });
    expect([queue.visibilityTimeout, queue.contentBasedDeduplication]).to.deep.equal([
      visibilityTimeout,
      contentBasedDeduplication,
    ]);
    await broker.create('other.fifo', { visibilityTimeout: 7 });
    expect(await broker.list()).to.deep.equal(['other.fifo', 'work']);
    await broker.remove('work');
    expect(await broker.list()).to.deep.equal(['other.fifo']);
    await broker.close();
  });

  it('has the optional part for commands if the broker has it', async () => {
    const { queue } = await openCounted();
    await queue.send([{ body: 'abc' }]);
    expect((await queue.inspect?.peek?.(10))?.map(({ body }) => body)).to.deep.equal(['abc']);
    const memory: Queue = await new MemoryBroker().open('work');
    const optional = ['peek', 'oldest', 'deadLetterQueue', 'deadLetterSources', 'startMove'] as const;
    for (const name of optional) {
      expect(typeof queue.inspect?.[name], name).to.equal(typeof memory.inspect?.[name]);
    }
  });

  it('counts a receive that fails', async () => {
    const { requests } = await openCounted();
    const failing = Object.assign(await new MemoryBroker().open('work'), {
      receive: () => Promise.reject(new Error('down')),
    });
    const broker = countedBroker(
      Object.assign(new MemoryBroker(), { open: async () => failing }),
      (...request) => requests.push(request),
    );
    const queue = await broker.open('work');
    expect((await rejection(queue.receive({ max: 1, waitSeconds: 0 }))).message).to.equal('down');
    expect(requests).to.deep.equal([['work', 'ReceiveMessage', 0]]);
  });
});
