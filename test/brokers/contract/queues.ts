/** The contract: making, listing, counting, emptying and removing queues. */
import { expect } from 'chai';
import { QueueNotFoundError } from '../../../src/brokers/errors.ts';
import { rejection } from '../../rejection.ts';
import { expectOk, receiveNow, receiveOne, send } from './steps.ts';
import { freshFifoQueue, freshName, freshQueue, type Traits, type UnderTest } from './under-test.ts';

export function keepsQueues(underTest: UnderTest, traits: Traits): void {
  describe('queues', () => {
    if (traits.makesQueues) {
      it('are made when they are first opened, also FIFO ones', async () => {
        const { broker } = underTest();
        const name = freshName();
        const fifoName = freshName('.fifo');
        const queue = await broker.open(name);
        const fifo = await broker.open(fifoName);
        expect(queue).to.include({ name, fifo: false, visibilityTimeout: 30 });
        expect(fifo).to.include({ name: fifoName, fifo: true });
        expect(await broker.list()).to.include.members([name, fifoName]);
      });
    } else {
      it('must exist to be opened', async () => {
        const { broker } = underTest();
        const name = freshName();
        const error = await rejection(broker.open(name));
        expect(error).to.be.instanceOf(QueueNotFoundError).with.property('queue', name);
        expect(error.message).to.contain(name).and.to.contain(broker.description);
        expect(await broker.list(name)).to.deep.equal([]);
      });
    }

    it('know their visibility timeout', async () => {
      const queue = await freshQueue(underTest(), { visibilityTimeout: 77 });
      expect(queue.visibilityTimeout).to.equal(77);
    });

    it('keep their messages when they are made again, and take the new settings', async () => {
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
      await send(again, 'the delay is still that of before');
      expect((await again.counts()).delayed).to.equal(1);
    });

    it('count what is visible, in flight and delayed', async () => {
      const queue = await freshQueue(underTest());
      await send(queue, 'a', 'b', 'c', { body: 'd', delaySeconds: 60 }, { body: 'e', delaySeconds: 60 });
      expect(await queue.counts()).to.deep.equal({ visible: 3, inFlight: 0, delayed: 2 });
      const [message] = await receiveNow(queue, 1);
      expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 1, delayed: 2 });
      await queue.delete([message!.receiptHandle]);
      expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 0, delayed: 2 });
    });

    it('lose every message when they are purged, and work on', async () => {
      for (const queue of [await freshQueue(underTest()), await freshFifoQueue(underTest())]) {
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

    it('are listed by the start of their name', async () => {
      const { broker } = underTest();
      const prefix = freshName('-list_');
      for (const name of ['b', 'a', 'c.fifo']) await broker.create(`${prefix}${name}`);
      await broker.create(`${prefix.replace('_', 'x')}other`);
      expect((await broker.list(prefix)).sort()).to.deep.equal([
        `${prefix}a`,
        `${prefix}b`,
        `${prefix}c.fifo`,
      ]);
      expect(await broker.list(`${prefix}none`)).to.deep.equal([]);
    });

    it('are gone with their messages when they are removed, and may be made again', async () => {
      const { broker } = underTest();
      const queue = await freshQueue(underTest());
      await send(queue, 'x');
      await broker.remove(queue.name);
      expect(await broker.list(queue.name)).to.deep.equal([]);
      await broker.remove(queue.name);
      await broker.create(queue.name);
      expect(await receiveNow(await broker.open(queue.name))).to.deep.equal([]);
    });

    it('are not made again by what was opened before they were removed', async () => {
      const { broker } = underTest();
      const queue = await freshQueue(underTest());
      await broker.remove(queue.name);
      expect(await rejection(queue.counts())).to.be.instanceOf(QueueNotFoundError);
      expect(await rejection(queue.send([{ body: 'x' }]))).to.be.instanceOf(QueueNotFoundError);
      expect(await rejection(receiveNow(queue))).to.be.instanceOf(QueueNotFoundError);
      expect(await broker.list(queue.name)).to.deep.equal([]);
      await broker.create(queue.name);
      await send(queue, 'works again');
      expect((await receiveOne(queue)).body).to.equal('works again');
    });
  });
}
