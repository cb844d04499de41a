/** Contract specs: creating, listing, counting, purging and removing queues. */
import { expect } from 'chai';
import { QueueNotFoundError } from '../brokers/errors.ts';
import { freshFifoQueue, freshName, freshQueue, type Traits, type UnderTest } from './broker-under-test.ts';
import { brokerError, expectOk, receiveNow, receiveOne, send } from './operations.ts';

export function keepsQueues(underTest: UnderTest, traits: Required<Traits>): void {
  describe('queues', () => {
    opensAndCreates(underTest, traits);
    countsAndPurges(underTest, traits);
    listsAndRemoves(underTest, traits);
  });
}

function opensAndCreates(underTest: UnderTest, traits: Required<Traits>): void {
  it('are created when first opened if the broker makes queues; otherwise opening fails', async () => {
    const { broker } = underTest();
    const name = freshName();
    if (broker.makesQueues) {
      expect(await broker.open(name)).to.include({ name, fifo: false, visibilityTimeout: 30 });
      expect(await broker.list()).to.include(name);
    } else {
      const error = await brokerError(broker.open(name));
      expect(error).to.be.instanceOf(QueueNotFoundError).with.property('queue', name);
      expect(error.message).to.contain(name).and.to.contain(broker.description);
      expect(await broker.list(name)).to.deep.equal([]);
    }
  });

  if (traits.fifo) {
    it('are FIFO queues if their names end in .fifo, also when opening creates them', async () => {
      const { broker } = underTest();
      const name = freshName('.fifo');
      if (!broker.makesQueues) await broker.create(name);
      expect(await broker.open(name)).to.include({ name, fifo: true });
    });
  }

  it('know their visibility timeout', async () => {
    const queue = await freshQueue(underTest(), { visibilityTimeout: 77 });
    expect(queue.visibilityTimeout).to.equal(77);
  });

  it('keep their messages and get the new settings when they are created again', async () => {
    const { broker, advance } = underTest();
    const queue = await freshQueue(underTest(), { visibilityTimeout: 600, delaySeconds: 1 });
    await send(queue, { body: 'x', delaySeconds: 0 });
    await broker.create(queue.name, { visibilityTimeout: 1, delaySeconds: 1 });
    const again = await broker.open(queue.name);
    expect(again.visibilityTimeout).to.equal(1);
    expect(await again.receive({ max: 10, waitSeconds: 0 })).to.have.length(1);
    await advance(1);
    expect((await receiveOne(again)).receiveCount).to.equal(2);
    await broker.create(queue.name, { visibilityTimeout: 2 });
    await send(again, 'the delay is unchanged');
    expect((await again.counts()).delayed).to.equal(1);
  });
}

function countsAndPurges(underTest: UnderTest, traits: Required<Traits>): void {
  it('count visible, in-flight and delayed messages', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'a', 'b', 'c', { body: 'd', delaySeconds: 60 }, { body: 'e', delaySeconds: 60 });
    expect(await queue.counts()).to.deep.equal({ visible: 3, inFlight: 0, delayed: 2 });
    const [message] = await receiveNow(queue, 1);
    expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 1, delayed: 2 });
    await queue.delete([message!.receiptHandle]);
    expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 0, delayed: 2 });
  });

  it('lose every message when purged, and keep working', async () => {
    const queues = [await freshQueue(underTest())];
    if (traits.fifo) queues.push(await freshFifoQueue(underTest()));
    for (const queue of queues) {
      const groupId = queue.fifo ? { groupId: 'g' } : {};
      const message = (body: string) => ({
        body,
        ...groupId,
        ...(queue.fifo && { deduplicationId: body }),
      });
      await send(queue, message('in flight'), message('visible'));
      const [inFlight] = await receiveNow(queue, 1);
      await queue.purge();
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
      expectOk(await queue.delete([inFlight!.receiptHandle]));
      await send(queue, message('new'));
      expect((await receiveOne(queue)).body).to.equal('new');
    }
  });
}

function listsAndRemoves(underTest: UnderTest, traits: Required<Traits>): void {
  it('are listed by name prefix', async () => {
    const { broker } = underTest();
    const prefix = freshName('-list_');
    const names = ['a', 'b', traits.fifo ? 'c.fifo' : 'c'];
    for (const name of names.toReversed()) await broker.create(`${prefix}${name}`);
    await broker.create(`${prefix.replace('_', 'x')}other`);
    expect((await broker.list(prefix)).sort()).to.deep.equal(names.map((name) => `${prefix}${name}`));
    expect(await broker.list(`${prefix}none`)).to.deep.equal([]);
  });

  it('lose their messages when removed, and can be created again', async () => {
    const { broker } = underTest();
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    await broker.remove(queue.name);
    expect(await broker.list(queue.name)).to.deep.equal([]);
    await broker.remove(queue.name);
    await broker.create(queue.name);
    expect(await receiveNow(await broker.open(queue.name))).to.deep.equal([]);
  });

  it('are not created again through a queue that was opened before the removal', async () => {
    const { broker } = underTest();
    const queue = await freshQueue(underTest());
    await broker.remove(queue.name);
    expect(await brokerError(queue.counts())).to.be.instanceOf(QueueNotFoundError);
    expect(await brokerError(queue.send([{ body: 'x' }]))).to.be.instanceOf(QueueNotFoundError);
    expect(await brokerError(receiveNow(queue))).to.be.instanceOf(QueueNotFoundError);
    expect(await broker.list(queue.name)).to.deep.equal([]);
    await broker.create(queue.name);
    await send(queue, 'works again');
    expect((await receiveOne(queue)).body).to.equal('works again');
  });
}
